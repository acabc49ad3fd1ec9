"""Runs as notes a person reads and traces a program replays."""
