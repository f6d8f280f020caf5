"""Ledgers: entries that are only added, balances kept with them, lots used up oldest first."""
