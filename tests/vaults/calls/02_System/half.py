"""Prints and fails."""
import sys
if __name__ == "__main__":
    print("partial"); print("why", file=sys.stderr); sys.exit(2)
