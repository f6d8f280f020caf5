"""Conversions: a record becomes others, in parts or once."""
