"""An entry of the timeline, without HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.files.kept import Kept
from runtime.views.binder import BoundChoice, BoundField
from runtime.views.history import Change


@dataclass(frozen=True, slots=True)
class About:
    """A record an entry leads to. `title` is None where this reader may not see it: then it is not told."""

    entity: str
    record: int
    label: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A field told with an activity; its HTML is the widget's business."""

    field: BoundField
    value: Any
    title: Any


@dataclass(slots=True, kw_only=True)
class Entry:
    """`word` is the source (activity, changes, stages, approvals, ownership, files), `leg` what filters name.

    `said` is what happened, in the reader's language, `person` who did it (None: the program). Of a change `audit` is
    its row, by which a field can be undone; of an activity `open` says that it is still to be done.
    """

    word: str
    leg: str
    id: int
    at: datetime
    person: int | None = None
    by: str = ""
    said: str = ""
    icon: str = "point"
    tone: str = ""
    text: str = ""
    about: list[About] = field(default_factory=list)
    # an activity
    entity: str = ""
    title: str = ""
    shown: list[Shown] = field(default_factory=list)
    files: list[Kept] = field(default_factory=list)
    open: bool = False
    doable: bool = False
    late: bool = False
    # a change
    operation: str = ""
    audit: int | None = None
    changes: list[Change] = field(default_factory=list)
    # a move from one value to the other
    before: BoundChoice | None = None
    after: BoundChoice | None = None
    seconds: int | None = None
