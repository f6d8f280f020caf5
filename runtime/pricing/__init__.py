"""Prices of lines, decided as they are written and while a form is filled in."""
