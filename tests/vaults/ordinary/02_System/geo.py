import math
from collections import namedtuple

R = 6371.0
Place = namedtuple("Place", "name lat lon")
HOME = Place("home", 52.52, 13.405)


def dist(a, b=HOME, unit="km"):
    p1, p2 = math.radians(a[1]), math.radians(b[1])
    dp, dl = p2 - p1, math.radians(b[2] - a[2])
    h = math.sin(dp / 2) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(dl / 2) ** 2
    d = 2 * R * math.asin(math.sqrt(h))
    return round(d / 1.609344 if unit == "mi" else d, 1)


# "52.1, 13.2" or "52.1 13.2", the way my phone copies it
def parse_place(s, name="?"):
    lat, lon = (float(x) for x in s.replace(",", " ").split())
    if not -90 <= lat <= 90:
        raise ValueError("latitude out of range: %s" % lat)
    return Place(name, lat, lon)


def nearest(places, to=HOME):
    return min(places, key=lambda p: dist(p, to))


def bbox(places):
    lats = [p[1] for p in places]
    lons = [p[2] for p in places]
    return {"south": min(lats), "north": max(lats), "west": min(lons), "east": max(lons)}


def _rad(x):
    return x * math.pi / 180
