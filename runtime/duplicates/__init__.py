"""Duplicates: kept keys that are looked up, what is told of what was found, groups of what is there, merging."""
