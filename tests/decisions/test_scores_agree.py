"""Random scores over random records: the decision in Python, the write of a record and the UPDATE of a whole table agree.

OCTAVO_FUZZ=<n> tries n times as many scores; OCTAVO_SEED repeats a seed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts, platform
from rules.scoring import Range as Bounds
from rules.scoring import possible, unreachable
from runtime import records
from runtime.clock import FakeClock
from runtime.decisions.scores import scores_of, worked_out
from runtime.publishing.publish import publish
from runtime.records.refresh import refresh_all
from runtime.records.values import Loader
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site

SCORES = 10 * int(os.environ.get("OCTAVO_FUZZ") or 1)
SEED = int(os.environ.get("OCTAVO_SEED") or 5)
T0 = datetime(2026, 3, 16, 2, tzinfo=UTC)
FIELDS = """
entity: thing
title: name
currency: currency
fields:
  name: text
  currency: currency
  whole: integer
  exact: {type: decimal, scale: 3}
  amount: {type: money}
  kind: {type: select, options: [red, green, blue]}
  day: date
  seen: datetime
  flag: boolean
  kids: {type: related, entity: kid, by: thing}
"""
KID = """
entity: kid
fields: {thing: {type: link, to: thing}, size: integer, on: date}
"""
CONDITIONS = ["whole > 3", "exact < amount", "kind == 'red'", "flag", "not flag", "day >= today() - days(20)",
              "kids.any(size > 2)", "amount >= 1000", "seen is None"]  # fmt: skip
EXPRESSIONS = ["whole * 2", "exact / 3", "kids.sum(size)", "kids.count(on > today() - days(9))", "whole // 0",
               "days_between(day, today())", "amount / 100", "coalesce(exact, whole)"]  # fmt: skip


def number(chosen: random.Random) -> str:
    return chosen.choice([str(chosen.randint(-20, 60)), f"{chosen.randint(-20, 60)}.{chosen.randint(1, 99)}"])


def part(chosen: random.Random, name: str) -> str:
    said = [f"name: {name}"]
    way = chosen.choice(["points", "points", "rule", "bands", "choices"])
    if way == "points":
        said.append(f"points: {number(chosen)}")
    elif way == "rule":
        said.append(f'points: "={chosen.choice(EXPRESSIONS)}"')
    elif way == "bands":
        ends = sorted(chosen.sample(range(-50, 2000), 3))
        bands = [f"{{from: {a}, to: {b}, points: {number(chosen)}}}" for a, b in pairwise(ends)]
        bands.append(f"{{from: {ends[-1]}, points: {number(chosen)}}}")
        said.append(f"of: {chosen.choice(['whole', 'exact', 'amount'])}, bands: [{', '.join(bands)}]")
    else:
        said.append(f"of: kind, choices: {{red: {number(chosen)}, blue: {number(chosen)}}}")
    if chosen.random() < 0.5:
        said.append(f'when: "{chosen.choice(CONDITIONS)}"')
    if chosen.random() < 0.3:
        said.append(f"decay: {{since: {chosen.choice(['day', 'seen'])}, days: {chosen.randint(1, 90)}}}")
    if chosen.random() < 0.3:
        said.append(f"weight: {chosen.choice(['0.5', '1.25', '-1', '3'])}")
    if chosen.random() < 0.3:
        said.append(f"cap: {chosen.randint(-5, 40)}")
    return f"  - {{{', '.join(said)}}}"


def documents(chosen: random.Random) -> dict[str, str]:
    fields, found = FIELDS, {"kid.yaml": KID}
    for n in range(SCORES):
        scale = chosen.randint(0, 3)
        fields += f"  v{n}: {{type: score, score: s{n}, scale: {scale}}}\n  g{n}: {{type: grade, score: s{n}}}\n"
        parts = "\n".join(part(chosen, f"p{i}") for i in range(chosen.randint(1, 6)))
        when = f'when: "{chosen.choice(CONDITIONS)}"\n' if chosen.random() < 0.4 else ""
        low, high = sorted(chosen.sample(range(-100, 200), 2))
        steps = "\n".join(f"  - {{name: g{g}, from: {g}}}" for g in sorted(chosen.sample(range(-10, 150), 3)) if g >= 0)
        grades = steps or "  - {name: g0, from: 0}"
        history = "history: true\n" if n % 3 == 0 else ""
        text = (
            f"score: s{n}\nentity: thing\n{when}{history}range: [{low}, {high}]\nparts:\n{parts}\ngrades:\n{grades}\n"
        )
        found[f"s{n}.yaml"] = text
    return {"thing.yaml": fields, **found}


def row(chosen: random.Random) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return None if chosen.random() < 0.25 else value

    day = date(2026, 3, 16) + timedelta(days=chosen.randint(-120, 20))
    return {
        "name": "x",
        "currency": chosen.choice([None, "CNY", "USD"]),
        "whole": maybe(chosen.randint(-30, 2500)),
        "exact": maybe(Decimal(chosen.randint(-90000, 900000)) / 1000),
        "amount": maybe(Decimal(chosen.randint(0, 300000)) / 100),
        "kind": maybe(chosen.choice(["red", "green", "blue"])),
        "day": maybe(day.isoformat()),
        "seen": maybe((T0 + timedelta(hours=chosen.randint(-900, 900))).isoformat()),
        "flag": maybe(chosen.random() < 0.5),
    }


@pytest.fixture
def things(tmp_path: Path, database_url: str) -> Iterator[Site]:
    chosen = random.Random(SEED)
    settings = throwaway_settings(tmp_path, database_url=database_url, sqlite_synchronous="OFF")
    write_settings(settings)
    with Site(settings, FakeClock(T0)) as site:
        publish(site, [platform(), load_texts(documents(chosen), "site")])
        with site.session(write=True) as session:
            records.create(session, "rate", {"currency": "USD", "day": "2026-01-01", "rate": "7.2"})
            made = [s.id for s in records.create_many(session, "thing", [row(chosen) for _ in range(60)])]  # type: ignore[union-attr]
            kids = [{"thing": chosen.choice(made), "size": chosen.randint(0, 9), "on": "2026-03-10"} for _ in range(80)]
            records.create_many(session, "kid", kids)
        yield site


def stored(site: Site) -> dict[int, list[tuple[Any, Any]]]:
    with site.session() as session:
        table = session.table("thing")
        wanted = [table.c[f"{letter}{n}"] for n in range(SCORES) for letter in "vg"]
        rows = session.connection.execute(sa.select(table.c.id, *wanted)).all()
    return {r[0]: list(zip(r[1::2], r[2::2])) for r in rows}


def decided(site: Site) -> dict[int, list[tuple[Any, Any]]]:
    """By `rules.scoring.decide` on what the parts give each record."""
    with site.session() as session:
        loader = Loader(session)
        fields = session.app.entities["thing"].fields
        rules = sorted(scores_of(session.app, "thing"), key=lambda s: int(s.name[1:]))
        found: dict[int, list[tuple[Any, Any]]] = {}
        for i in session.connection.scalars(sa.select(session.table("thing").c.id)).all():
            record = loader.record("thing", i)
            assert record is not None
            each = [worked_out(s, record, fields[s.field or ""].value_type.scale) for s in rules]
            found[i] = [(one.score, one.grade) for one in each]
        return found


def test_python_writes_and_sets_agree(things: Site) -> None:
    wanted = decided(things)
    assert stored(things) == wanted, f"seed {SEED}"
    assert len({pair for pairs in wanted.values() for pair in pairs}) > 3 * SCORES  # the scores do differ
    names = [f"v{n}" for n in range(SCORES)]
    assert refresh_all(lambda: things.session(write=True), "thing", names) == dict.fromkeys(names, 0)
    with things.session(write=True) as session:
        table = session.table("thing")
        session.connection.execute(sa.update(table).values({name: Decimal(-999) for name in names}))
    changed = refresh_all(lambda: things.session(write=True), "thing", names)
    assert stored(things) == wanted
    assert set(changed.values()) == {60}


def test_the_day_moves_scores_set_by_set_as_it_does_one_by_one(things: Site) -> None:
    things.clock.advance(days=17)  # type: ignore[attr-defined]
    refresh_all(lambda: things.session(write=True), "thing", [f"v{n}" for n in range(SCORES)])
    assert stored(things) == decided(things)


def test_history_of_sets_says_what_history_of_writes_says(things: Site) -> None:
    things.clock.advance(days=3)  # type: ignore[attr-defined]
    before = stored(things)
    refresh_all(lambda: things.session(write=True), "thing", [f"v{n}" for n in range(SCORES)])
    after = stored(things)
    with things.session() as session:
        log = session.table("score_result")
        mine = sa.select(log.c.record, log.c.score, log.c.before, log.c.value, log.c.grade).where(
            log.c.at == session.now
        )
        found = {(r, s): (b, v, g) for r, s, b, v, g in session.connection.execute(mine)}
    kept = [n for n in range(SCORES) if n % 3 == 0]
    wanted = {
        (i, f"s{n}"): (before[i][n][0], after[i][n][0], after[i][n][1])
        for i in after
        for n in kept
        if before[i][n][0] != after[i][n][0]
    }
    assert found == wanted


def test_what_is_called_unreachable_is_never_reached() -> None:
    chosen = random.Random(SEED)
    for _ in range(300):
        parts = [Bounds.of([Decimal(0), Decimal(chosen.randint(-20, 60))]) for _ in range(chosen.randint(1, 6))]
        grades = {f"g{n}": Decimal(chosen.randint(-20, 150)) for n in range(4)}
        grades = {name: least for name, least in grades.items() if list(grades.values()).count(least) == 1}
        low, high = Decimal(0), Decimal(100)
        exact = unreachable(grades, possible(parts), low, high, 0)
        whole = possible(parts)
        rough = unreachable(grades, Bounds(low=whole.low, high=whole.high), low, high, 0)
        assert set(rough) <= set(exact)
