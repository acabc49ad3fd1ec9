#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""
clean_csv.py -- fix the exports we get from the shop system

They come with semicolons, comma decimals and trailing blanks, and sometimes the same
order twice. This writes something a spreadsheet can read.

Examples:
    python clean_csv.py orders.csv
    python clean_csv.py orders.csv --only date total --sort total --desc
"""
import argparse
import csv
import io
import sys
from decimal import Decimal, InvalidOperation

__version__ = "0.4"
DELIMS = {"semicolon": ";", "comma": ",", "tab": "\t"}


def to_number(s):
    s = s.strip().replace(".", "").replace(",", ".")
    try:
        return Decimal(s)
    except InvalidOperation:
        return None


def parse_args(argv=None):
    ap = argparse.ArgumentParser(description="Clean up a CSV export.", epilog="Rows seen twice are dropped.")
    ap.add_argument("infile", help="the export")
    ap.add_argument("--delim", choices=sorted(DELIMS), default="semicolon", help="what separates the columns (default: %(default)s)")
    g = ap.add_argument_group("what comes out")
    g.add_argument("--only", nargs="+", metavar="COL", help="keep these columns")
    g.add_argument("--sort", metavar="COL", help="sort by this column")
    order = g.add_mutually_exclusive_group()
    order.add_argument("--desc", action="store_true", help="largest first")
    order.add_argument("--asc", action="store_true", help="smallest first")
    ap.add_argument("-n", "--limit", type=int, default=0, help="at most N rows")
    ap.add_argument("-q", "--quiet", action="store_true")
    ap.add_argument("--version", action="version", version=__version__)
    return ap.parse_args(argv)


def main(argv=None):
    opts = parse_args(argv)
    with open(opts.infile, newline="", encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f, delimiter=DELIMS[opts.delim]))
    seen, out = set(), []
    for r in rows:
        r = {k.strip(): v.strip() for k, v in r.items() if k}
        key = tuple(r.values())
        if key in seen:
            continue
        seen.add(key)
        for k, v in r.items():
            n = to_number(v)
            if n is not None and "," in v:
                r[k] = str(n)
        out.append(r)
    if opts.sort:
        out.sort(key=lambda r: to_number(r[opts.sort].replace(".", ",")) or r[opts.sort], reverse=opts.desc)
    if opts.limit:
        out = out[: opts.limit]
    cols = opts.only or list(out[0]) if out else []
    buf = io.StringIO()
    w = csv.DictWriter(buf, cols, extrasaction="ignore", lineterminator="\n")
    w.writeheader()
    w.writerows(out)
    sys.stdout.write(buf.getvalue())
    if not opts.quiet:
        print("%d rows, %d duplicates" % (len(out), len(rows) - len(seen)), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
