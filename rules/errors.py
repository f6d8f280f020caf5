"""Problems of an expression, as values: the author's mistakes are collected, never raised out of the package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionProblem:
    """One mistake in an expression.

    `code` is stable and documented; `start`/`end` are character offsets into the expression's text;
    `params` fill the message of the code's catalogue entry; `hint` is a "did you mean" where one is known.
    """

    code: str
    start: int = 0
    end: int = 0
    params: dict[str, str] = field(default_factory=dict)
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"


class ExpressionError(Exception):
    """Raised by `parse` where the caller wants an exception (an API query, a command) instead of a list."""

    def __init__(self, problems: list[ExpressionProblem]) -> None:
        super().__init__("; ".join(p.code for p in problems))
        self.problems = problems
