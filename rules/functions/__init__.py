"""The core rule functions, registered by import."""

from rules.functions import date, identity, logic, money, number, people, text

__all__ = ["date", "identity", "logic", "money", "number", "people", "text"]
