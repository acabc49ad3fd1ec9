"""Beds and seeds."""


def sow_now(zone, month):
    # what can go into the ground
    return []


def watering(bed, days=7):
    return 0
