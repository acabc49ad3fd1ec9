"""Milestones of projects as bars."""
import argparse


def slack(project: str, today: str) -> int:
    """Days left before the next milestone slips."""
    return 0


def main():
    ap = argparse.ArgumentParser(description="Draw the timeline of a project as text bars.")
    ap.add_argument("project")
    ap.add_argument("--width", type=int, default=60)
    ap.parse_args()


if __name__ == "__main__":
    main()
