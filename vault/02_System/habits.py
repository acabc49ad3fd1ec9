"""Average of an inline field over the daily notes.

usage: habits.py FIELD [SINCE]

FIELD is a field of the daily notes, such as mood or practice; SINCE is the first day to count, YYYY-MM-DD.
"""

import sys

from _notebook import field

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    name, since = sys.argv[1], (sys.argv + [""])[2]
    numbers = [number for _, number in field(name, since)]
    if not numbers:
        sys.exit(f"habits: no daily note has a field {name!r}" + (f" since {since}" if since else ""))
    print(f"{name}: {sum(numbers) / len(numbers):.1f} on average over {len(numbers)} days")
