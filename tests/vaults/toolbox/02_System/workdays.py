from datetime import date, timedelta

HOLIDAYS = {"2026-01-01", "2026-12-25"}


def business_days(start: date, end: date) -> int:
    n = 0
    while start < end:
        if start.weekday() < 5 and start.isoformat() not in HOLIDAYS:
            n += 1
        start += timedelta(days=1)
    return n


def add_business_days(start: date, days: int) -> date:
    return start
