"""The core rule functions, registered by import."""

from rules.functions import date, logic, money, number, people, text

__all__ = ["date", "logic", "money", "number", "people", "text"]
