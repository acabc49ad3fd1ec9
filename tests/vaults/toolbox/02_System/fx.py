"""Exchange rates from the rates note."""
from pathlib import Path

RATES = {"EUR": 1.0, "USD": 1.1, "GBP": 0.85, "CHF": 0.95}


def convert(amount: float, source: str, target: str = "EUR") -> float:
    # money from one currency to another, rates of last month
    return round(amount / RATES[source] * RATES[target], 2)
