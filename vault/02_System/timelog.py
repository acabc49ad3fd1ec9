#!/usr/bin/env python3
"""Hours logged in the daily notes."""

import argparse
import json

from _notebook import hours


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="hours of every project")
    report.add_argument("--since", default="", help="first day, YYYY-MM-DD")
    report.add_argument("--until", default="9999", help="last day, YYYY-MM-DD")
    report.add_argument("--format", choices=["text", "json"], default="text", help="how to print it")
    total = commands.add_parser("total", help="total hours logged on one project")
    total.add_argument("project", help="name of the project's note")
    args = parser.parse_args()

    if args.command == "total":
        logged = [spent for _, project, spent in hours() if project == args.project]
        if not logged:
            parser.exit(1, f"timelog: nothing is logged on {args.project!r}\n")
        print(round(sum(logged), 2))
        return
    table = {}
    for _, project, spent in hours(args.since, args.until):
        table[project] = table.get(project, 0.0) + spent
    if args.format == "json":
        print(json.dumps(table, sort_keys=True, ensure_ascii=False))
        return
    for project, spent in sorted(table.items()):
        print(f"{project}\t{spent}")


if __name__ == "__main__":
    main()
