"""Problems of metadata, as values. Collected by every pass, phrased by `metadata.render`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the source. `line` and `column` count from 1, in the source text, also inside quoted scalars."""

    file: str
    line: int = 1
    column: int = 1
    path: tuple[str | int, ...] = ()
    layer: str = ""  # two layers may have a file of the same name


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. `code` has a page in the docs and an entry (zh, en) in the message catalogue; `params` fill it."""

    code: str
    place: Place
    severity: Severity = "error"
    params: dict[str, str] = field(default_factory=dict)
    hint: str | None = None
    related: tuple[Place, ...] = ()
