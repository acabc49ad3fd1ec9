# /// script
# requires-python = ">=3.11"
# dependencies = ["tabulate>=0.9"]
# ///
"""The bookshelf as a table, ready to paste into a note.

The block above (PEP 723) says that this script needs a package. With it installed, or started by `uv run`, it works;
without it, it says that `tabulate` is missing, and every other script goes on working.
"""

from typing import Literal

from _notebook import notes


def shelf_table(style: Literal["pipe", "simple", "html"] = "pipe") -> str:
    """Draw all books as a table, sorted by year.

    Args:
        style: "pipe" for a markdown table, "simple" for plain text, "html" for a web page.
    """
    from tabulate import tabulate

    rows = [(title, book["author"], book["year"], book["status"]) for title, book, _ in notes("book")]
    return tabulate(sorted(rows, key=lambda row: row[2]), headers=["Title", "Author", "Year", "Status"], tablefmt=style)
