"""What nest.py walks through: rooms opened and joined, one concern a file."""
