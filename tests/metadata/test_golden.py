"""Each pass on inputs of its own, held to what it answered when it was last looked at.

`tests/golden/<pass>/<case>.yaml` is the stock layer of a case, `<case>.<layer>.yaml` are further layers; `<case>.txt`
is what the pass makes of it. `OCTAVO_GOLDEN=write pytest tests/metadata/test_golden.py` writes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metadata.compiler import PASSES, in_order
from metadata.drafts import World
from metadata.fingerprint import _digest
from metadata.packages import Layer, load_texts
from metadata.render import phrase
from rules.typing import Type

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(p for p in GOLDEN.glob("*/*.yaml") if p.name.count(".") == 1)


@pytest.mark.parametrize("case", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_golden(case: Path) -> None:
    world = World(layers=tuple(_layers(case)))
    for run in PASSES:
        run(world)
        if run.__module__.endswith("." + case.parent.name):
            break
    got = "\n".join([*_problems(world), "", *DUMPS[case.parent.name](world)]).strip() + "\n"
    expected = case.with_suffix(".txt")
    if os.environ.get("OCTAVO_GOLDEN") == "write":
        expected.write_text(got, encoding="utf-8")
    assert got == expected.read_text(encoding="utf-8")


def test_every_pass_has_golden_cases() -> None:
    names = {run.__module__.rpartition(".")[2] for run in PASSES}
    assert {case.parent.name for case in CASES} == names == set(DUMPS)


def _layers(case: Path) -> Iterator[Layer]:
    yield load_texts({case.name: case.read_text(encoding="utf-8")}, "stock")
    for path in sorted(case.parent.glob(f"{case.stem}.*.yaml")):
        yield load_texts({path.name: path.read_text(encoding="utf-8")}, path.name.split(".")[1].lstrip("0123456789_"))


def _problems(world: World) -> Iterator[str]:
    for p in in_order(world.problems):
        related = "".join(f" <- {r.file}:{r.line}:{r.column}" for r in p.related)
        yield f"{p.place.file}:{p.place.line}:{p.place.column} {p.severity} {p.code}: {phrase(p, 'en')}{related}"


def _plain(value: Any, depth: int = 0) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        for key, part in value.items():
            if isinstance(part, dict | list) and part:
                yield f"{pad}{key}:"
                yield from _plain(part, depth + 1)
            else:
                yield f"{pad}{key}: {part!r}"
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, dict | list) and part:
                yield f"{pad}-"
                yield from _plain(part, depth + 1)
            else:
                yield f"{pad}- {part!r}"
    else:
        yield f"{pad}{value!r}"


def _parse(world: World) -> Iterator[str]:
    for document in world.documents:
        place = document.places[()]
        mark = "extend " if document.extend else ""
        yield f"{mark}{document.kind} {document.name} at {place.file}:{place.line}"
        yield from _plain(document.data, 1)
    yield f"broken: {sorted(world.broken)}"


def _shape(world: World) -> Iterator[str]:
    for shaped in world.shaped:
        yield f"{shaped.document.kind} {shaped.document.name}{' (partial)' if shaped.partial else ''}"
        yield from _plain(shaped.data, 1)
    yield f"broken: {sorted(world.broken)}"


def _overlay(world: World) -> Iterator[str]:
    for thing in world.things.values():
        yield f"{thing.kind.word} {thing.name}"
        yield from _plain(thing.data, 1)
        for path, (document, inner) in thing.sources.items():
            yield f"  from {document.layer}: {'.'.join(map(str, path))} at line {document.places[inner].line}"


def _type(found: Type) -> str:
    of = found.entity or found.options or ""
    return (
        f"{found.kind}({of})" if of else f"{found.kind}({found.digits},{found.scale})" if found.digits else found.kind
    )


def _link(world: World) -> Iterator[str]:
    for options in world.options.values():
        yield f"options {options.name}: {list(options.choices)} { ({k: t.kind for k, t in options.property_types.items()}) }"
    for draft in world.entities.values():
        yield f"entity {draft.name} parent={draft.parent} lost={sorted(draft.lost)}"
        for member in draft.fields.values():
            if not member.system:
                yield f"  {member.name}: {_type(member.value_type)} by={member.spec.get('by')}"


def _typecheck(world: World) -> Iterator[str]:
    for thing in world.things.values():
        for path, e in thing.expressions.items():
            reads = " ".join(sorted(".".join(r) for r in e.reads))
            yield f"{thing.name} {'.'.join(map(str, path))}: {_type(e.type)}{' live' if e.live else ''} reads {reads}"
    for draft in world.entities.values():
        flags = [
            f"{m.name}{' live' if m.live else ''}{' sensitive' if m.sensitive else ''}"
            for m in draft.fields.values()
            if m.live or m.sensitive
        ]
        yield f"{draft.name}: {flags} lost={sorted(draft.lost)}"
    for d in world.dependencies:
        yield f"recompute {d.entity}.{d.field} after {' '.join('.'.join(r) for r in d.reads)}"


def _check(world: World) -> Iterator[str]:
    yield from ()


def _freeze(world: World) -> Iterator[str]:
    app = world.application
    assert app is not None
    for entity in app.entities.values():
        yield f"entity {entity.name} table={entity.table} title={entity.title} indexes={list(entity.indexes)} unique={list(entity.unique)}"
        for f in entity.fields.values():
            yield (
                f"  {f.name}: {f.type} {f.storage} column={f.column} {f.computed}"
                f"{' sort_key' if f.sort_key else ''}{' required' if f.required else ''} default={f.default!r:.40} label={f.label.of('en')!r}"
            )
        for form in app.forms[entity.name]:
            yield f"  form {form.name} for={form.for_role} on={form.on} generated={form.generated}"
            for tab in form.tabs:
                yield f"    tab {tab.name} related={tab.related} {[[(i.field, i.group) for i in s.items] for s in tab.sections]}"
        for one in app.lists[entity.name]:
            yield f"  list {one.name} columns={[c.key for c in one.columns]} sort={[(s.path, s.descending) for s in one.sort]} generated={one.generated}"
    for role in app.roles.values():
        for grant in role.grants.values():
            shown = {o: (sorted(s.named), [e.text for e in s.expressions]) for o, s in grant.operations.items()}
            yield f"role {role.name} {grant.entity}: {shown} hide={sorted(grant.hide)}"
    for report in app.reports.values():
        yield f"report {report.name}: {[(g.name, g.path, g.bucket) for g in report.groups]} {[m.name for m in report.measures]} {[p.name for p in report.parameters]}"
    assert len({app.storage_fingerprint, app.display_fingerprint, _digest([])}) == 3


DUMPS = {
    "parse": _parse,
    "shape": _shape,
    "overlay": _overlay,
    "link": _link,
    "typecheck": _typecheck,
    "check": _check,
    "freeze": _freeze,
}
