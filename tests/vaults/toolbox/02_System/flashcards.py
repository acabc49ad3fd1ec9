"""Spaced repetition over `Q::A` lines.

Usage: flashcards.py due
"""
import argparse


def main():
    p = argparse.ArgumentParser(description="Spaced repetition over question and answer lines of notes.")
    sub = p.add_subparsers(dest="cmd")
    due = sub.add_parser("due", help="cards to review today")
    due.add_argument("--deck")
    grade = sub.add_parser("grade", help="say how well a card was remembered")
    grade.add_argument("card")
    grade.add_argument("score", type=int)
    p.parse_args()


if __name__ == "__main__":
    main()
