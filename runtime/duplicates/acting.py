"""What can be done with a record that is there twice: merge it with another, and undo that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from runtime.actions import ActionSource, Ask, Offer, Outcome, register
from runtime.digits import number_in
from runtime.duplicates.merge import merge
from runtime.duplicates.unmerge import last_merge, may_undo, unmerge
from runtime.errors import Conflict, RecordProblem, Refused
from runtime.messages import say
from runtime.records.values import Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MERGE, UNMERGE = "merge", "unmerge"
OTHER, CHOICES = "other", "choices"


class MergeActions(ActionSource):
    word = "duplicate"

    def applies(self, app: Application, entity: Entity) -> bool:
        return bool(app.rules_of(entity.name, "duplicate")) and entity.ledger is None and entity.parent is None

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        language, access = session.language, Access(session)
        environment = session.environment()
        allowed = access.can(entity.name, "delete") and access.allows(entity.name, "edit", record, environment)
        yield Offer(
            name=MERGE,
            label=say("duplicate.merge", language),
            word=self.word,
            icon="git-merge",
            why=None if allowed else say("duplicate.may_not", language),
            hidden=True,
            page=f"/e/{entity.name}/merge?id={record.row['id']}",
            asks=(
                Ask(
                    name=OTHER,
                    label=say("duplicate.with", language),
                    type="link",
                    to=entity.name,
                    required=True,
                    help=say("duplicate.with_help", language),
                ),
                Ask(name=CHOICES, label=say("duplicate.choices", language), type="json"),
            ),
        )
        past = last_merge(session, entity.name, record.row["id"])
        if past is not None:
            yield Offer(
                name=UNMERGE,
                label=say("duplicate.undo", language),
                word=self.word,
                icon="arrow-back-up",
                confirm=say("duplicate.undo_confirm", language),
                why=None if may_undo(session, past) else say("duplicate.may_not", language),
                hidden=True,
            )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        kept = record.row["id"]
        if name == UNMERGE:
            past = last_merge(session, entity.name, kept)
            if past is None:
                raise Conflict("merge.undone_already")
            unmerge(session, past)
            restored = [str(i) for i in past.gone]
            return Outcome(message=say("merge.undone", session.language), data={"restored": restored})
        done = merge(session, entity.name, kept, [given[OTHER]], _chosen(given.get(CHOICES)))
        return Outcome(
            message=say("merge.done", session.language, count=1),
            goto=(entity.name, kept),
            data={"merge": str(done.id), "moved": done.moved},
        )


def _chosen(given: Any) -> dict[str, int] | None:
    """`{"phone": "7"}`: the record whose value each field takes. Raises `Refused`."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise Refused(problems=[RecordProblem(code="value.not_json", field=CHOICES)])
    return {str(field)[:60]: number_in(record) or 0 for field, record in given.items()}


register(MergeActions())
