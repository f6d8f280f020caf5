"""Duplicates while records are written: twins are warned of or refused, and the keys are kept right."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from metadata.model import Application, Entity
from runtime.duplicates import keys, oracle
from runtime.duplicates.find import Twin, twins
from runtime.errors import RecordProblem
from runtime.jobs.queue import enqueue
from runtime.messages import say
from runtime.query.titles import titles_of
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import CHUNK, Loader

if TYPE_CHECKING:
    from runtime.records.plan import EntityPlan
    from runtime.records.values import Draft
    from runtime.site import Session

WARNED, REFUSED = "duplicate.warned", "duplicate.refused"
MOST_NAMED = 3
SYSTEM = ("merge:", "unmerge:", "conversion:")  # causes that know what they do


class DuplicateRule(RecordRule):
    name = "duplicates"

    def applies(self, app: Application, entity: Entity) -> bool:
        return any(among.entity == entity.name for rule in app.of("duplicate").values() for among in rule.among)

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """Only what people, programs and imports write is compared: rules and the system know what they do."""
        asked = session.channel in ("form", "api", "import", "command") and not session.user.superuser
        compared = keys.rules_of(session.app, plan.name) if asked else ()
        if not compared or (session.cause or "").startswith(SYSTEM):
            return
        judged = [draft for draft in drafts if draft.verdict is None]
        found = twins(session, plan, judged)
        if not found:
            return
        seen = visible_titles(session, (twin for several in found.values() for twin in several))
        if session.channel in ("form", "api") and any(
            twin.id is not None and (twin.among.entity, twin.id) not in seen
            for several in found.values()
            for twin in several
        ):
            oracle.count(session)
        for number, several in found.items():
            _judge(session, judged[number], several, seen)

    def late(self, plan: EntityPlan, count: int) -> bool:
        return False

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """Keys follow the fields they are made of; those of a large entity nobody has indexed yet are a job's."""
        names = {field for source in keys.sources_of(session, plan.name) for _, field in source.parts}
        altered = [d for d in drafts if d.creating or not names.isdisjoint(d.changed)]
        if not altered:
            return
        _have_keys(session, plan)
        new = [(d.record_id or 0, d.raw) for d in altered if d.creating]
        keys.keep(session, plan, new, known=False)
        keys.keep(session, plan, [(d.record_id or 0, d.raw) for d in altered if not d.creating], known=True)

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        keys.forget(session, plan.name, ids)

    def restored(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), CHUNK):
            loader = Loader(session)
            loader.want(plan.name, ids[start : start + CHUNK])
            found = (loader.record(plan.name, i) for i in ids[start : start + CHUNK])
            rows = [(r.record_id or 0, r.raw) for r in found if r is not None]
            keys.keep(session, plan, rows, known=True)


register(DuplicateRule())


def _have_keys(session: Session, plan: EntityPlan) -> None:
    from runtime.publishing.backfill import is_large  # late: publishing needs the record layer

    if keys.ready(session, plan.name) or ("duplicates building", plan.name) in session.cache:
        return
    session.cache["duplicates building", plan.name] = True
    if "job" in session.app.entities and is_large(session, plan.name):
        enqueue(session, "duplicate_keys", {"entity": plan.name}, unique_key=f"duplicate_keys:{plan.name}")
    else:
        keys.prepare(session, plan.name)


def visible_titles(session: Session, found: Iterable[Twin]) -> Mapping[tuple[str, int], str]:
    """Titles of the twins the person may see, by entity and id: one statement an entity."""
    ids: dict[str, set[int]] = {}
    for twin in found:
        if twin.id is not None:
            ids.setdefault(twin.among.entity, set()).add(twin.id)
    return {
        (entity, record): title
        for entity, several in ids.items()
        for record, title in titles_of(session, entity, sorted(several)).items()
    }


def _judge(session: Session, draft: Draft, several: list[Twin], seen: Mapping[tuple[str, int], str]) -> None:
    """An import refuses what it could only warn of where the rule says so: nobody would read the warnings."""
    strict = [t for t in several if t.sure or (session.channel == "import" and t.rule.imports == "refuse")]
    told = strict or several
    params = {"text": _named(session, told, seen), "digest": digest(session, several)}
    field = _field(told[0])
    message = told[0].rule.message
    own = message.of(session.language) if message is not None else None
    if strict:
        draft.refuse(REFUSED, field, own, **params)
    else:
        place = f"{draft.path}{field}" if field else None
        draft.warnings.append(RecordProblem(code=WARNED, field=place, params=params, message=own))


def _field(twin: Twin) -> str | None:
    """The first of the fields in which the two agree."""
    own = twin.rule.own.fields_of(twin.match) if twin.match is not None else None
    return own[0].field if own else None


def _named(session: Session, several: Sequence[Twin], seen: Mapping[tuple[str, int], str]) -> str:
    """`零件制造 (customer), …`: those the person may see by name, the others by their number."""
    language = session.language
    said: list[str] = []
    unseen: dict[str, int] = {}
    for twin in several:
        label = session.app.entities[twin.among.entity].label.of(language)
        if twin.id is None:
            said.append(say("duplicate.row", language, row=(twin.row or 0) + 1))
        elif (twin.among.entity, twin.id) in seen:
            said.append(f"{label} {seen[twin.among.entity, twin.id]}")
        else:
            unseen[label] = unseen.get(label, 0) + 1
    said += [say("duplicate.unseen", language, label=label, count=count) for label, count in unseen.items()]
    more = len(said) - MOST_NAMED
    text = ("、" if language == "zh" else ", ").join(said[:MOST_NAMED])
    return text + (say("duplicate.more", language, count=more) if more > 0 else "")


def digest(session: Session, several: Iterable[Twin]) -> str:
    """Stands for the records that were found: whoever was shown them can say so, and learns no id from it."""
    named = ",".join(sorted(f"{twin.among.entity}:{twin.id}" for twin in several if twin.match is not None))
    secret = str(session.site.settings.secret_key).encode()
    return hmac.new(secret, named.encode(), hashlib.sha256).hexdigest()[:24]
