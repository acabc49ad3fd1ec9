"""What is known of a vault, kept in SQLite outside it: notes, links, tools, search, resolution."""
