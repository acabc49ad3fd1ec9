# Numbers about the bookshelf. No types and no docstrings on purpose:
# a comment above a function is a description, too.

from _notebook import notes


def _finished(year=None):
    books = [book for _, book, _ in notes("book") if book["status"] == "finished"]
    return [book for book in books if year is None or str(book.get("finished")).startswith(str(year))]


# Pages of all finished books together; with a year, only of those finished in that year.
def pages_read(year=None):
    return sum(book["pages"] for book in _finished(year))


# Average rating of the finished books, rounded to two places; None when there is no such book.
def average_rating(year=None):
    ratings = [book["rating"] for book in _finished(year)]
    return round(sum(ratings) / len(ratings), 2) if ratings else None


# Titles of the books by an author. A part of the name is enough, in capitals or not.
def books_by(author):
    return [title for title, book, _ in notes("book") if author.lower() in book["author"].lower()]
