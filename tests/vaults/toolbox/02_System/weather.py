"""Readings of the weather station on the roof."""


def rain(start, end):
    """Millimetres of precipitation between two days."""
    return 0


def coldest(month):
    # min temperature and the day it was measured
    return None
