"""What the runtime answers instead of doing what was asked. Every channel maps these to its own form.

Programming errors are ordinary exceptions and are not caught on the way; these here are answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default_of
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProblem:
    """One reason why a record was refused.

    `field` is a field name, a path into lines such as `lines.2.quantity`, or None for the record as a whole;
    `code` has a translated message in `runtime.messages`, filled by `params`; `message` overrides it (declared checks).
    """

    code: str
    field: str | None = None
    params: Mapping[str, str] = default_of(default_factory=dict)
    message: str | None = None


class Answer(Exception):  # noqa: N818 - not an error of the program
    """Base of all answers. `status` is the HTTP status; `code` names a translated sentence in `runtime.messages`."""

    status = 400
    code = "bad_request"

    def __init__(self, code: str | None = None, *, problems: Sequence[RecordProblem] = (), **params: Any) -> None:
        self.code = code or type(self).code
        self.problems = list(problems)
        self.params = {k: str(v) for k, v in params.items()}
        super().__init__(f"{self.code} {self.params} {self.problems}")


class BadQuery(Answer):
    """400: syntax of the request: a bad expression, an unknown or hidden field in where, select or sort."""

    status, code = 400, "bad_query"


class NotSignedIn(Answer):
    status, code = 401, "not_signed_in"


class Forbidden(Answer):
    """403: not allowed on what one may see."""

    status, code = 403, "forbidden"


class NotFound(Answer):
    """404: not there, or not visible to this user; the two look the same."""

    status, code = 404, "not_found"


class Conflict(Answer):
    """409: the state does not allow it (locked, a unique twin on restore, already done)."""

    status, code = 409, "conflict"


class Stale(Answer):
    """412: changed by somebody else since it was read. `differing` maps field to (theirs now, base unknown)."""

    status, code = 412, "stale"

    def __init__(self, *, current_version: int, differing: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.current_version = current_version
        self.differing = dict(differing or {})


class TooBig(Answer):
    """413: more than this site accepts."""

    status, code = 413, "too_big"


class WrongMedia(Answer):
    """415: a file of a kind that is not accepted, or not what its name says."""

    status, code = 415, "wrong_media"


class Refused(Answer):
    """422: values refused; each problem names its field."""

    status, code = 422, "refused"


class Busy(Answer):
    """503 with Retry-After: the database is away or locked."""

    status, code = 503, "busy"


class Outdated(Answer):
    """503: what is published needs a newer program, or another code package, than this process runs."""

    status, code = 503, "outdated"


class TooSlow(Answer):
    """503: the database was kept longer than a page or call may keep it; asking again would not help."""

    status, code = 503, "too_slow"


class TooManyRequests(Answer):
    status, code = 429, "too_many_requests"


class DiskFull(Answer):
    status, code = 507, "disk_full"
