"""Invoices: one note each in Invoices/."""


def find_invoices(client: str = "", paid: bool | None = None, year: int = 0) -> list[dict]:
    """Invoices that fit, oldest first.

    Args:
        client: Only those of this client.
        paid: True for settled ones, False for open ones.
        year: Only those issued in this year.
    """
    return []


def next_number() -> str:
    # the number after the highest one used so far
    return ""


def reminder_text(number: str, tone: str = "friendly") -> str:
    """Draft a dunning letter for one overdue invoice."""
    return ""
