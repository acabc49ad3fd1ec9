def pages_per_day(book, days=30):
    log = _load(book)
    return sum(log[-days:]) / days


def finish_date(book):
    # when will i be through at the current pace
    return None


def _load(book):
    return []
