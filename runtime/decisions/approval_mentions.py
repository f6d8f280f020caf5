"""People mentioned in the comments of an approval: told are those who may see the case, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime import records
from runtime.activities.mention import LONGEST, MOST, named
from runtime.decisions.approval_store import Held
from runtime.errors import NotFound, NotSignedIn
from runtime.messages import say
from runtime.messaging.notify import notify
from runtime.query.titles import titles_of

if TYPE_CHECKING:
    from runtime.site import Session


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The people told, and the names of those who may not see the case."""

    told: tuple[int, ...] = ()
    untold: tuple[str, ...] = ()

    def said(self, language: str) -> str:
        """A sentence that names those who were not told, to stand behind another; nothing where there are none."""
        if not self.untold:
            return ""
        names = ("、" if language == "zh" else ", ").join(self.untold)
        return ("" if language == "zh" else " ") + say("mention.untold", language, names=names)


def mention(session: Session, held: Held, text: str | None, people: Sequence[int] = ()) -> Mentioned:
    """Tells whoever a comment mentions by name; `people` are those chosen while it was written.

    Somebody the author does not know of is passed over in silence, as if there were nobody.
    """
    wanted = [i for i in named(session, text or "", people) if i != session.user.id][:MOST]
    known = titles_of(session, "user", wanted) if wanted else {}
    told, untold = [], []
    for person in (i for i in wanted if i in known):
        if _sees(session, held, person):
            told.append(person)
        else:
            untold.append(known[person])
    author, title = session.user.name, held.row["title"]
    notify(
        session,
        told,
        lambda language: say("mention.subject", language, name=author, title=title),
        (text or "")[:LONGEST],
        entity=held.row["entity"],
        record=held.row["record"],
        word="mention",
    )
    return Mentioned(tuple(told), tuple(untold))


def may_see(session: Session, held: Held) -> bool:
    """Who submitted it, who is or was asked, administrators, and who may read the record."""
    person = session.user.id
    if session.user.admin or person == held.case.submitter or any(t.person == person for t in held.case.tasks):
        return True
    return readable(session, held.row["entity"], held.row["record"])


def readable(session: Session, entity: str, record_id: int) -> bool:
    """Whether the record of a case may be read."""
    if entity not in session.app.entities:
        return False
    try:
        records.read(session, entity, record_id, ["id"])
    except NotFound:
        return False
    return True


def _sees(session: Session, held: Held, person: int) -> bool:
    try:
        return may_see(session.sub(person), held)
    except NotSignedIn:
        return False
