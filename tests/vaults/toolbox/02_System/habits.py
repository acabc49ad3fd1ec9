def streak(habit):
    # days in a row with a tick in the daily note
    return 0


def missed(habit, month):
    return []
