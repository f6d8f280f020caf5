"""Merging moves everything that belongs to a record, undoing puts it back, and nobody merges what is not his."""

from __future__ import annotations

import base64
import io
from decimal import Decimal
from typing import Any

import pytest

from runtime import actions, records
from runtime.duplicates.merge import choosable, merge
from runtime.duplicates.unmerge import last_merge, unmerge
from runtime.errors import Conflict, Forbidden, NotFound, Refused
from runtime.files import open_file, upload
from tests.duplicates.conftest import Arena
from tests.records.world import content

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _pair(arena: Arena, login: str = "ann", **more: Any) -> tuple[int, int]:
    kept = arena.make(login, name="Kept", town="A", groups=["a"], places=[{"street": "one"}], **more)
    gone = arena.make(
        login, name="Gone", town="B", phone="13500000001", email="gone@example.com", groups=["b"],
        places=[{"street": "two"}, {"street": "three"}],
    )  # fmt: skip
    return kept, gone


def _do(arena: Arena, login: str, kept: int, gone: list[int], *more: Any) -> None:
    with arena.as_(login, write=True) as session:
        merge(session, "firm", kept, gone, *more)


def _undo(arena: Arena, login: str, kept: int) -> None:
    with arena.as_(login, write=True) as session:
        past = last_merge(session, "firm", kept)
        assert past is not None
        unmerge(session, past)


def _streets(arena: Arena, firm: int) -> list[str]:
    return [line.values["street"] for line in arena.row("firm", firm)["places"]]


def test_a_merge_moves_everything_and_undoing_puts_it_back(arena: Arena) -> None:
    kept, gone = _pair(arena)
    deal = arena.make("ann", "deal", name="D", firm=gone, amount=Decimal("7.50"), partners=[gone])
    both = arena.make("ann", "deal", name="E", firm=kept, amount=Decimal("2.50"), partners=[kept, gone])
    child = arena.make("ann", name="Child", parent=gone)
    friend = arena.make("ann", name="Friend", friends=[gone])
    _do(arena, "ann", kept, [gone], {"town": gone, "phone": gone, "groups": gone})
    now = arena.row("firm", kept)
    assert (now["name"], now["town"], now["groups"], now["email"]) == ("Kept", "B", ("b",), None)
    assert (now["total"], _streets(arena, kept)) == (Decimal("10.00"), ["one", "two", "three"])
    moved = arena.row("deal", deal)
    assert (moved["firm"], moved["firm_name"], moved["partners"]) == (kept, "Kept", (kept,))
    assert arena.row("deal", both)["partners"] == (kept,)
    assert arena.row("firm", child)["parent"] == kept
    assert arena.row("firm", friend)["friends"] == (kept,)
    with pytest.raises(NotFound):
        arena.row("firm", gone)
    with arena.as_("ann") as session:
        told = [entry.operation for entry in records.history(session, "firm", kept)]
        assert {"merge", "update"} <= set(told)

    _undo(arena, "ann", kept)
    now, back = arena.row("firm", kept), arena.row("firm", gone)
    assert (now["town"], now["phone"], now["groups"], now["total"]) == ("A", None, ("a",), Decimal("2.50"))
    assert (back["town"], back["groups"], back["total"]) == ("B", ("b",), Decimal("7.50"))
    assert (_streets(arena, kept), _streets(arena, gone)) == (["one"], ["two", "three"])
    assert arena.row("deal", deal)["partners"] == (gone,)
    assert arena.row("deal", both)["partners"] == (kept, gone)
    assert (arena.row("firm", child)["parent"], arena.row("firm", friend)["friends"]) == (gone, (gone,))
    with arena.as_("ann") as session:
        assert last_merge(session, "firm", kept) is None


def test_files_go_along_and_come_back(arena: Arena) -> None:
    kept, gone = _pair(arena)
    values = {"name": "a.pdf", "digest": "0" * 64, "size": 1, "state": "linked", "parent_entity": "firm"}
    with arena.site.session(write=True) as session:
        table = session.table("file")
        stamp = {"created_at": session.now, "updated_at": session.now, "created_on": session.today, "version": 1}
        row = {**values, **stamp, "parent_record": gone}
        file = session.connection.execute(table.insert().values(**row)).inserted_primary_key[0]

    def owner() -> int:
        with arena.site.session() as session:
            return session.connection.scalar(
                table.select().with_only_columns(table.c.parent_record).where(table.c.id == file)
            )

    _do(arena, "ann", kept, [gone])
    assert owner() == kept
    _undo(arena, "ann", kept)
    assert owner() == gone


def _picture(arena: Arena, name: str) -> int:
    with arena.as_("ann", write=True) as session:
        return upload(session, io.BytesIO(PICTURE + name.encode()), f"{name}.png")


def _readable(arena: Arena, file: int, login: str = "ann") -> bool:
    with arena.as_(login) as session:
        try:
            open_file(session, file).stream.close()
        except NotFound:
            return False
    return True


@pytest.mark.parametrize("choice", [True, False], ids=["chosen", "gap filled"])
def test_a_picture_and_papers_are_taken_from_the_other_record(arena: Arena, choice: bool) -> None:
    mine, theirs, paper = (_picture(arena, name) for name in ("mine", "theirs", "paper"))
    kept = arena.make("ann", name="Kept", **({"logo": mine} if choice else {}))
    gone = arena.make("ann", name="Gone", logo=theirs, paper=paper)
    with arena.as_("ann") as session:
        assert {"logo", "paper"} <= {f.name for f in choosable(session, "firm")}
    _do(arena, "ann", kept, [gone], {"logo": gone, "paper": gone} if choice else None)
    now = arena.row("firm", kept)
    assert (now["logo"], now["paper"]) == (theirs, paper)
    assert _readable(arena, theirs)
    assert _readable(arena, paper)
    with arena.as_("ann", write=True) as session:  # what it took over is its own: saved again without a word
        records.update(session, "firm", kept, {"logo": theirs, "note": "edited"})
        records.update(session, "firm", kept, {"note": None})
    _undo(arena, "ann", kept)
    assert (arena.row("firm", kept)["logo"], arena.row("firm", kept)["paper"]) == (mine if choice else None, None)
    back = arena.row("firm", gone)
    assert (back["logo"], back["paper"]) == (theirs, paper)
    assert all(_readable(arena, file) for file in (mine, theirs, paper)[0 if choice else 1 :])


def test_without_a_choice_gaps_are_filled(arena: Arena) -> None:
    kept, gone = _pair(arena)
    _do(arena, "ann", kept, [gone], None, {"places": False})
    now = arena.row("firm", kept)
    assert (now["town"], now["email"]) == ("A", "gone@example.com")
    assert _streets(arena, kept) == ["one"]


def test_unique_values_go_over(arena: Arena) -> None:
    kept = arena.make("ann", name="K")
    gone = arena.make("ann", name="G", tax="UNIQUE-1")
    _do(arena, "ann", kept, [gone])
    assert arena.row("firm", kept)["tax"] == "UNIQUE-1"
    _undo(arena, "ann", kept)
    assert (arena.row("firm", kept)["tax"], arena.row("firm", gone)["tax"]) == (None, "UNIQUE-1")


def test_links_among_them_do_not_lead_to_themselves(arena: Arena) -> None:
    top = arena.make("ann", name="Top")
    middle = arena.make("ann", name="Middle", parent=top)
    low = arena.make("ann", name="Low", parent=middle)
    _do(arena, "ann", low, [middle], {"parent": middle})
    assert arena.row("firm", low)["parent"] == top
    _undo(arena, "ann", low)
    assert arena.row("firm", low)["parent"] == middle
    with pytest.raises(Conflict) as circle:  # low would be above middle, and below it
        _do(arena, "ann", low, [top])
    assert circle.value.code == "merge.into_itself"
    assert arena.row("firm", middle)["parent"] == top


def test_what_cannot_be_moved_refuses_the_whole(arena: Arena) -> None:
    kept, gone = _pair(arena)
    arena.make("ann", "deal", name="Same", firm=kept)
    arena.make("ann", "deal", name="Same", firm=gone)
    with arena.site.session() as session:
        before = content(session)
    with pytest.raises(Conflict) as refused:
        _do(arena, "ann", kept, [gone])
    assert (refused.value.code, refused.value.params["title"]) == ("merge.blocked", "Same")
    with arena.site.session() as session:
        assert content(session) == before


def test_nobody_merges_what_he_may_not(arena: Arena) -> None:
    mine, mine_too = _pair(arena)
    theirs = arena.make("ben", name="Theirs")
    with arena.site.session() as session:
        before = content(session)
    for login, kept, gone, answer in (
        ("ann", mine, theirs, NotFound),
        ("ann", theirs, mine, NotFound),
        ("clara", mine, mine_too, Forbidden),
        ("ann", mine, 10**12, NotFound),
    ):
        with pytest.raises(answer):
            _do(arena, login, kept, [gone])
    for chosen in ({"nosuch": mine}, {"town": theirs}, {"total": mine_too}, {"id": mine_too}):
        with pytest.raises(Refused):
            _do(arena, "ann", mine, [mine_too], chosen)
    for several in ([], [mine], list(range(1, 30))):
        with pytest.raises((Refused, NotFound)):
            _do(arena, "ann", mine, several)
    with arena.site.session() as session:
        assert content(session) == before
    _do(arena, "ann", mine, [mine_too])
    with arena.as_("ben", write=True) as session:
        past = last_merge(session, "firm", mine)
        assert past is not None
        with pytest.raises(Forbidden):
            unmerge(session, past)


def test_undoing_is_refused_where_something_has_changed(arena: Arena) -> None:
    kept, gone = _pair(arena)
    deal = arena.make("ann", "deal", name="Later", firm=gone)
    _do(arena, "ann", kept, [gone], {"town": gone})
    with arena.as_("ann", write=True) as session:
        records.update(session, "firm", kept, {"town": "Elsewhere"})
        records.update(session, "deal", deal, {"firm": None})
    with pytest.raises(Conflict) as refused:
        _undo(arena, "ann", kept)
    assert refused.value.params["what"] == "Town、Deal Later"
    with arena.as_("ann", write=True) as session:
        records.update(session, "firm", kept, {"town": "B", "note": "written since"})
        records.update(session, "deal", deal, {"firm": kept})
    _undo(arena, "ann", kept)
    assert arena.row("firm", kept)["note"] == "written since"


def test_merging_is_an_action(arena: Arena) -> None:
    kept, gone = _pair(arena)
    with arena.as_("ann", write=True) as session:
        done = actions.run(session, "firm", kept, "merge", {"other": str(gone), "choices": {"town": str(gone)}})
        assert done.goto == ("firm", kept)
    assert arena.row("firm", kept)["town"] == "B"
    with arena.as_("ann", write=True) as session:
        actions.run(session, "firm", kept, "unmerge", {})
    assert arena.row("firm", gone)["town"] == "B"
    with arena.as_("clara") as session:
        offers = {o.name: o.open for o in actions.offers(session, "firm", kept)}
    assert offers == {"merge": False}
