"""A command that prints JSON, or fails."""
import argparse
import json
import sys


def main():
    parser = argparse.ArgumentParser(description="A command that prints JSON, or fails.")
    parser.add_argument("-n", "--number", type=int, default=1)
    parser.add_argument("--names", nargs="+", default=[])
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("--no-colour", dest="colour", action="store_false")
    parser.add_argument("--fail", action="store_true")
    given = parser.parse_args()
    if given.fail:
        print("first complaint", file=sys.stderr)
        print("the last line", file=sys.stderr)
        sys.exit(3)
    print(json.dumps(vars(given)))
    print("careful", file=sys.stderr)


if __name__ == "__main__":
    main()
