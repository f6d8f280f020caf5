"""Lengths of time as people write them: `24h`, `3d` elapse on the clock, `24wh`, `3wd` by the working calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Unit = Literal["m", "h", "d", "w", "wh", "wd"]
PATTERN = r"^[1-9][0-9]{0,4}(m|h|d|w|wh|wd)$"
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_FORM = re.compile(PATTERN)
_SAID = {
    "m": ("{n} 分钟", "{n} minutes"),
    "h": ("{n} 小时", "{n} hours"),
    "d": ("{n} 天", "{n} days"),
    "w": ("{n} 周", "{n} weeks"),
    "wh": ("{n} 个工作小时", "{n} working hours"),
    "wd": ("{n} 个工作日", "{n} working days"),
}


@dataclass(frozen=True, slots=True)
class Duration:
    """`amount` of `unit`: minutes, hours, days, weeks; working hours, working days."""

    amount: int
    unit: Unit

    @property
    def working(self) -> bool:
        """Whether the working calendar counts it."""
        return self.unit in ("wh", "wd")

    @property
    def elapsed(self) -> timedelta:
        """The length on the clock. Raises `ValueError` for one of working time, which depends on where it begins."""
        if self.working:
            raise ValueError(f"{self} has no length of its own")
        return timedelta(seconds=self.amount * _SECONDS[self.unit])

    def said(self, language: str) -> str:
        """For people: `3 working days`."""
        zh, en = _SAID[self.unit]
        text = (zh if language == "zh" else en).format(n=self.amount)
        return text.removesuffix("s") if language != "zh" and self.amount == 1 else text

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"


def parse_duration(text: str) -> Duration | None:
    """The duration of a text such as `24wh`; None where it is none."""
    found = _FORM.match(text)
    return Duration(int(text[: found.start(1)]), found[1]) if found else None  # type: ignore[arg-type]
