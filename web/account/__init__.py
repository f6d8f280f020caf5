"""Signing in and out, language and theme, one's own profile."""

from web.account.install import install

__all__ = ["install"]
