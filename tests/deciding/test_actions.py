"""The spine of rules that decide: actions, people, notifications, hooks of the write pipeline, sub-sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.model import Application, Entity
from metadata.models.who import Who
from runtime import actions, records
from runtime.actions import ActionSource, Ask, Offer, Outcome
from runtime.decisions import people
from runtime.errors import BadQuery, Conflict, NotFound, Refused
from runtime.messaging.notify import notify
from runtime.records import rulebook
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule, decide
from runtime.records.values import Draft, Stored
from runtime.site import Session, Site
from tests.records.world import open_site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    site = open_site(database_url, tmp_path)
    yield site
    site.close()


class _Rename(ActionSource):
    word = "test_rename"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == "account"

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        closed = "closed for good" if record.get("name") == "Locked" else None
        asks = (Ask(name="name", label="Name", required=True), Ask(name="day", label="Day", type="date"))
        yield Offer(name="rename", label="Rename", word=self.word, why=closed, asks=asks)

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        records.update(session, entity.name, record.record_id, {"name": given["name"]})
        return Outcome(message="done", data={"day": given["day"]})


class _Watch(RecordRule):
    name = "test_watch"

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == "account"

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.get("name") == "decide me":
                decide(draft, "name", "decided")

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.get("name") == "forbidden":
                draft.forbid(Conflict("already_done"))
            if draft.get("name") == "refused":
                draft.refuse("required", "name")

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        self.seen += [("saved", draft.get("name")) for draft in drafts]

    def removed(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        self.seen.append(("removed", list(ids)))

    def restored(self, session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
        self.seen.append(("restored", list(ids)))


@pytest.fixture
def rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "_SOURCES", {"test_rename": _Rename()})
    monkeypatch.setattr(actions, "MODULES", ())


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> _Watch:
    found = _Watch()
    monkeypatch.setattr(rulebook, "_RULES", {found.name: found})
    monkeypatch.setattr(rulebook, "MODULES", ())
    return found


def _make(site: Site, name: str) -> int:
    with site.session(write=True) as session:
        return records.create(session, "account", {"name": name}).id


@pytest.mark.usefixtures("rename")
def test_an_action_reads_what_it_asks_and_leaves_a_trace(site: Site) -> None:
    made = _make(site, "First")
    with site.session(write=True) as session:
        offered = actions.offers(session, "account", made)
        assert [(o.name, o.open) for o in offered] == [("rename", True)]
        outcome = actions.run(session, "account", made, "rename", {"name": "Second", "day": "2026-03-16"})
        assert outcome.data == {"day": date(2026, 3, 16)}
    with site.session() as session:
        assert records.read(session, "account", made, ["name"]).values["name"] == "Second"
        audit = session.table("audit")
        wanted = sa.select(audit.c.changes).where(audit.c.action == "action:rename", audit.c.record == made)
        assert session.connection.scalar(wanted)["name"] == [None, "Second"]


@pytest.mark.usefixtures("rename")
def test_what_an_action_is_given_is_checked(site: Site) -> None:
    made = _make(site, "First")
    with site.session(write=True) as session:
        with pytest.raises(Refused) as refused:
            actions.run(session, "account", made, "rename", {"day": "no day"})
        assert {p.field for p in refused.value.problems} == {"name", "day"}
        with pytest.raises(BadQuery):
            actions.run(session, "account", made, "rename", {"name": "x", "more": 1})
        with pytest.raises(NotFound):
            actions.run(session, "account", made, "unknown", {})
        with pytest.raises(NotFound):
            actions.offers(session, "account", 999_999)


@pytest.mark.usefixtures("rename")
def test_a_closed_action_is_not_carried_out(site: Site) -> None:
    made = _make(site, "Locked")
    with site.session(write=True) as session, pytest.raises(Conflict) as closed:
        actions.run(session, "account", made, "rename", {"name": "x"})
    assert closed.value.params == {"why": "closed for good"}


def test_rules_decide_judge_and_see_what_was_written(site: Site, watch: _Watch) -> None:
    made = _make(site, "decide me")
    with site.session(write=True) as session:
        assert records.read(session, "account", made, ["name"]).values["name"] == "decided"
        with pytest.raises(Conflict):
            records.update(session, "account", made, {"name": "forbidden"})
        with pytest.raises(Refused):
            records.update(session, "account", made, {"name": "refused"})
        records.delete(session, "account", made)
        records.restore(session, "account", made)
    assert watch.seen == [("saved", "decided"), ("removed", [made]), ("restored", [made])]


def test_what_a_rule_does_names_its_cause(site: Site) -> None:
    made = _make(site, "First")
    done: list[str] = []
    with site.session(write=True) as session:
        inner = session.sub(cause="workflow:rename")
        assert (inner.depth, inner.now, inner.sub().depth) == (1, session.now, 2)
        records.update(inner, "account", made, {"name": "By rule"})
        inner.after_commit(lambda: done.append("rung"))
        assert done == []
    assert done == ["rung"]
    with site.session() as session:
        newest = records.history(session, "account", made)[0]
        assert (newest.cause, newest.channel, newest.changes["name"][1]) == ("workflow:rename", "rule", "By rule")


def _people(site: Site) -> dict[str, int]:
    """director ← manager ← rep, in a unit headed by the director; a fourth is on leave and a fifth has left."""
    with site.session(write=True) as session:
        made = {}
        for login, more in (("director", {}), ("manager", {}), ("rep", {}), ("away", {}), ("gone", {"status": "left"})):
            made[login] = records.create(session, "user", {"login": login, "name": login, **more}).id
        records.update(session, "user", made["manager"], {"manager": made["director"]})
        records.update(session, "user", made["rep"], {"manager": made["manager"]})
        unit = records.create(session, "unit", {"name": "East", "code": "east", "head": made["director"]}).id
        records.update(session, "user", made["rep"], {"unit": unit})
        records.update(session, "user", made["away"], {"unit": unit, "status": "on_leave", "delegate": made["manager"]})
        members = [made["rep"], made["gone"]]
        records.create(session, "team", {"name": "South", "code": "south", "members": members})
    return made


def test_people_are_found_where_rules_look_for_them(site: Site) -> None:
    made = _people(site)
    with site.session() as session:
        rep = actions.stored(session, "user", made["rep"])

        def found(**way: Any) -> list[int]:
            return people.resolve(session, Who(**way), rep)

        assert found(user="rep") == [made["rep"]]
        assert found(team="south") == [made["rep"]]
        assert found(unit="east") == [made["rep"], made["away"]]
        assert found(field=("manager",)) == [made["manager"]]
        assert found(manager_of=("manager",)) == [made["director"]]
        assert found(manager_of=("manager",), level=2) == []
        assert found(unit_head=("unit",)) == [made["director"]]
        assert found(role="nobody_has_it") == []
        assert people.managers(session, made["rep"]) == [made["manager"], made["director"]]
        assert people.present(session, [made["rep"], made["away"]]) == [made["rep"]]
        assert people.stand_in(session, made["away"]) == made["manager"]
        assert people.stand_in(session, made["rep"]) is None


def test_days_away_begin_and_end(site: Site) -> None:
    made = _people(site)
    with site.session(write=True) as session:
        today = session.today
        days = {"away_from": today, "away_until": today + timedelta(days=2)}
        records.update(session, "user", made["rep"], days)
        everybody = [made["rep"]]
        assert people.absent(session, everybody) == {made["rep"]}
        assert people.absent(session, everybody, today + timedelta(days=3)) == set()
        assert people.absent(session, everybody, today - timedelta(days=1)) == set()


def test_people_are_told_once_and_in_their_language(site: Site) -> None:
    made = _people(site)
    with site.session(write=True) as session:
        records.update(session, "user", made["rep"], {"language": "en"})
        both = [made["rep"], made["manager"], made["rep"]]
        said = {"zh": "您好", "en": "Hello"}
        told = notify(session, both, said.__getitem__, entity="account", record=1, word="test", key="once")
        assert told == [made["rep"], made["manager"]]
        assert notify(session, both, "again", key="once") == []
        table = session.table("notification")
        rows = session.connection.execute(sa.select(table.c.recipient, table.c.subject).order_by(table.c.id)).all()
        assert [tuple(row) for row in rows] == [(made["rep"], "Hello"), (made["manager"], "您好")]
