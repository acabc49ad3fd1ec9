"""The ways in: each parses its input, calls the hall, and prints."""
