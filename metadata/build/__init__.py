"""Drafts → the frozen model."""
