"""No leak and no loss: every role on every channel, judged by an oracle that asks nothing of the product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import explain
from runtime.files import attachments
from runtime.query import search, select
from runtime.records import form, past, validate
from runtime.records.values import Loader
from runtime.security.access import Access
from runtime.security.rights import EntityRights, Rights
from tests.channels.walk import Walk
from tests.channels.world import ROLES, Role, World, build
from tests.channels.writes import Writes


@pytest.mark.attack("N01", "N06", "N13", "N15", "N17", "N18", "N19", "N21", "N23", "N48", "N96")
def test_every_channel_shows_what_the_oracle_says(world: World, roles: Sequence[Role]) -> None:
    wrong, steps = [], 0
    for role in roles:
        walk = Walk(world, role)
        wrong += [(role.number, role.person, *found) for found in walk.run()]
        steps += walk.steps
    assert not wrong, (len(wrong), wrong[:20])
    assert steps > 3000 * len(roles) // len(ROLES)  # nobody stood still


@pytest.mark.attack("N01", "N03", "N05", "N07", "N11", "N14", "N26", "N27", "N34", "N87")
def test_every_write_that_is_not_allowed_is_refused_and_leaves_no_trace(world: World, roles: Sequence[Role]) -> None:
    wrong, steps = [], 0
    for role in roles:
        walk = Writes(world, role)
        wrong += [(role.number, role.person, *found) for found in walk.run()]
        steps += walk.steps
    assert not wrong, (len(wrong), wrong[:20])
    assert steps > 1000 * len(roles) // len(ROLES)


def as_if_reading(*operations: str) -> Callable[..., Any]:
    """A predicate that takes the given operations for reading."""
    real = Access.predicate

    def predicate(self: Access, entity: str, operation: str, alias: Any) -> Any:
        return real(self, entity, "read" if operation in operations else operation, alias)

    return predicate


def reading_is_editing(self: Rights, entity: str) -> EntityRights:
    found = RIGHTS_OF(self, entity)
    scopes = dict(found.operations)
    return replace(found, operations=scopes | ({"edit": scopes["read"]} if "read" in scopes else {}))


class NothingHidden(Access):
    def hidden(self, entity: str) -> frozenset[str]:
        return frozenset()


def unmasked(self: Any, *given: Any) -> Any:
    """A join to the linked record, whoever may read it."""
    self._predicate = lambda *_: None
    joined = JOIN(self, *given)
    del self._predicate
    return joined


def all_titles(session: Any, entity: str, ids: Any) -> dict[int, str]:
    with session.site.session() as system:
        return TITLES_OF(system, entity, ids)


RIGHTS_OF = Rights.of
JOIN = select._Builder._join
TITLES_OF = select.titles_of
ASKED = search._query
FAULTS: dict[str, tuple[type[Walk], Any, str, Any]] = {
    "row rights": (Walk, Access, "predicate", lambda *_: None),
    "field rights": (Walk, Access, "hidden", lambda *_: frozenset()),
    "names of fields": (Walk, Access, "visible", lambda *_: True),
    "titles of links": (Walk, select._Builder, "_join", unmasked),
    "titles of many links": (Walk, select, "titles_of", all_titles),
    "guard of what users write": (Walk, Access, "guard", lambda *_: None),
    "search in hidden fields": (Walk, search, "_query", lambda s, p, text, _: ASKED(s, p, text, frozenset())),
    "rights to export": (Walk, Access, "predicate", as_if_reading("export")),
    "rights to report": (Walk, Access, "predicate", as_if_reading("report")),
    "hidden fields in the history": (Walk, past, "Access", NothingHidden),
    "rights of files": (Walk, attachments, "_readable", lambda *_: True),
    "laundering by formulas": (Walk, Rights, "_launder", lambda _: None),
    "steps of an explanation": (Walk, explain, "_Guarded", Loader),
    "unsaved links": (Walk, form, "_unseen_links", lambda *_: None),
    "shared records lost": (Walk, Access, "_shared", lambda *_: sa.false()),
    "an empty list taken for everything": (Walk, Access, "_unit", lambda *_: sa.true()),
    "rights to edit": (Writes, Rights, "of", reading_is_editing),
    "rights to delete": (Writes, Access, "predicate", as_if_reading("delete")),
    "rights to assign": (Writes, Access, "predicate", as_if_reading("assign")),
    "read-only fields": (Writes, Access, "read_only", lambda *_: frozenset()),
    "links to unseen records": (Writes, validate, "_readable", lambda _s, _a, _e, ids: set(ids)),
}
WRITING = {name for name, (walk, *_) in FAULTS.items() if walk is Writes} | {"row rights"}  # these leave something


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)  # what is judged here is the judge
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A judge that finds nothing proves nothing; nor does one that finds something where nothing is wrong."""
    walk, owner, name, replacement = FAULTS[fault]
    mine = build(tmp_path) if fault in WRITING else world
    monkeypatch.setattr(owner, name, replacement)
    found: list[Any] = []
    for role in (*ROLES[33::3], *ROLES[1:33:3]):
        mine.forget()
        found = walk(mine, role).run()
        if found:
            break
    monkeypatch.undo()
    mine.forget()
    assert found
    crashed = [f for f in found if f[1] == "status" and f[2][0] == 500]
    assert not crashed, crashed  # found by what it does, not because it was planted badly
    if mine is world:
        assert not walk(mine, role).run()
    else:
        mine.site.close()
