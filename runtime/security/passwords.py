"""Passwords: argon2id hashes, and the same time for a user who does not exist."""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's second set for argon2id


def hash_password(password: str) -> str:
    """The hash to store; a new salt each time."""
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """True when `password` belongs to `stored`. Takes as long without a stored hash (unknown or locked user)."""
    if len(password) > MAX_LENGTH:
        password = password[:MAX_LENGTH] + "\x00"
    try:
        _hasher.verify(stored or _dummy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    return _hasher.check_needs_rehash(stored)


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _hasher.hash("nobody has this password")
