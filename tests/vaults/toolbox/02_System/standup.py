"""Yesterday, today, blockers: text for the morning round.

Usage: standup.py DAY
"""
import sys

if __name__ == "__main__":
    print(sys.argv[1])
