"""known_first: how an assignment picks one of several people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.assigning import Candidate, Need, pick_strategy


@pick_strategy("known_first")
def known_first(candidates: Sequence[Candidate], need: Need, options: Mapping[str, Any]) -> Candidate | None:
    """The person that the field named by `options.known` says, if they come into question; else the least loaded."""
    known = need.get(str(options.get("known", "")))
    person = getattr(known, "record_id", known)
    found = next((c for c in candidates if c.id == person), None)
    return found or min(candidates, key=lambda c: (c.load, c.last, c.order, c.id))
