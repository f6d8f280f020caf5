"""Frozen models of the kinds that decide, one file each. `Application.of(word)` gives them by name."""
