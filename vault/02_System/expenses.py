"""What was bought, for which project, and what is still to be paid."""

from __future__ import annotations

from dataclasses import dataclass

from _notebook import notes


@dataclass
class Expense:
    name: str
    date: str
    amount: float
    area: str
    paid: bool
    project: str


@dataclass
class Total:
    amount: float
    count: int
    currency: str = "EUR"


def find_expenses(area: str | None = None, paid: bool | None = None, since: str | None = None) -> list[Expense]:
    """Find expenses, oldest first.

    Args:
        area: Only this area: garden, making or music.
        paid: True for paid ones, False for those still open.
        since: Only expenses of this day (YYYY-MM-DD) or later.

    Returns:
        Name, date, amount in EUR, area, paid and project of each.
    """
    found = [
        Expense(name, one["date"], float(one["amount"]), one["area"], one["paid"], one["project"])
        for name, one, _ in notes("expense")
        if (area is None or one["area"] == area)
        and (paid is None or one["paid"] == paid)
        and (since is None or one["date"] >= since)
    ]
    return sorted(found, key=lambda expense: expense.date)


def sum_expenses(area: str | None = None, paid: bool | None = None, since: str | None = None) -> Total:
    """Add up expenses.

    Args:
        area: Only this area: garden, making or music.
        paid: True for paid ones, False for those still open.
        since: Only expenses of this day (YYYY-MM-DD) or later.

    Returns:
        The amount, rounded to cents, and how many expenses it is made of.
    """
    found = find_expenses(area, paid, since)
    return Total(round(sum(expense.amount for expense in found), 2), len(found))
