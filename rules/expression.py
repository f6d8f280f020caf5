"""An expression, parsed once: its text, typed tree, type and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rules.typing import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    text: str
    tree: Any
    type: Type
    entity: str | None = None
    reads: frozenset[tuple[str, str]] = frozenset()
    collections: frozenset[tuple[str, str]] = frozenset()
    parameters: frozenset[str] = frozenset()
    uses_time: bool = False
    uses_user: bool = False
    uses_old: bool = False
    reads_live: bool = False

    @property
    def live(self) -> bool:
        return self.uses_time or self.uses_user or self.reads_live
