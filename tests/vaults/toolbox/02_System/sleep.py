def average(weeks=4):
    # hours in bed, from the watch's export
    return 0.0
