"""What happens in a vault and what was made of it: events, a ledger, marks in notes."""
