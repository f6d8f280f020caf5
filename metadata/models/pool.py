"""pool: records nobody owns, for many to take from."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.model import Column
from metadata.models.who import Who
from metadata.texts import Origin, Text
from rules.durations import Duration
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """A person holds at most `limit` of the records for which `when` holds."""

    name: str
    label: Text
    limit: int
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimApproval:
    """A claim on a record for which `when` holds waits for one of `by`; after `within` it ends by itself (`then`).

    In expressions of `by` the user is the person who claims: `user.manager`.
    """

    by: tuple[Who, ...]
    when: Expression | None = None
    within: Duration | None = None
    then: str = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Per person: `daily` claims a day from this pool, ceilings of what is held, how long a former owner waits.

    `protect`: no rule takes the record back for so long after it was taken.
    """

    daily: int | None = None
    holding: tuple[Ceiling, ...] = ()
    cooldown: Duration | None = None
    protect: Duration | None = None
    approval: ClaimApproval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A held record for which `when` holds comes back `after` the moment or date `since`; `warn` is as long before."""

    name: str
    label: Text
    since: Expression
    after: Duration
    when: Expression | None = None
    warn: Duration | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A record nobody has taken for `after` goes on to pool `to`."""

    name: str
    to: str
    after: Duration
    when: Expression | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """`to` is the owner, `field` holds the name of the pool a record lies in.

    The moments `since` (came in), `claimed` (was taken) and `protected` (until when no rule takes it back) are fields.
    `mask` are fields that members do not see before they have taken the record; `managers` see them.
    """

    name: str
    entity: str
    label: Text
    to: str
    field: str
    since: str
    claimed: str | None = None
    protected: str | None = None
    members: tuple[Who, ...] = ()
    managers: tuple[Who, ...] = ()
    accepts: Expression | None = None
    exempt: Expression | None = None
    mask: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    claim: Claim
    returns: tuple[Return, ...] = ()
    moves: tuple[Shift, ...] = ()
    views: int | None = None  # records of the pool a member opens in a day
    origin: Origin
