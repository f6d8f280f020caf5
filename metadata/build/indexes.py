"""Which indexes an entity gets: what lists filter and sort by, links, and what asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metadata.drafts import EntityDraft, FieldDraft, Thing, World, entity_of

_INDEXABLE = {"text", "integer", "decimal", "boolean", "date", "datetime", "time", "link"}
_TOO_LONG = {"long_text", "rich_text"}
_LONGEST = 3
_MOST = 16


def indexes_of(draft: EntityDraft, lists: list[Thing]) -> tuple[tuple[str, ...], ...]:
    """Tuples of field names, none the beginning of another, none on a field that is unique by itself."""
    wanted: dict[tuple[str, ...], None] = {}
    for found in _wanted(draft, lists):
        if found and len(found) <= _LONGEST:
            wanted.setdefault(found)
    unique = {(f.name,) for f in draft.fields.values() if f.spec.get("unique") is True}
    unique |= {tuple(g) for g in draft.thing.data.get("unique") or ()}
    kept = [w for w in wanted if w not in unique and not any(len(o) > len(w) and o[: len(w)] == w for o in wanted)]
    return tuple(kept[:_MOST])


def lists_by_entity(world: World) -> dict[str, list[Thing]]:
    found: dict[str, list[Thing]] = {}
    for thing in world.of_kind("list"):
        found.setdefault(entity_of(thing), []).append(thing)
    return found


def sorted_fields(draft: EntityDraft, lists: list[Thing], title: str) -> set[str]:
    """Fields by which people sort: the title, and what lists show or are sorted by."""
    found = {title}
    for thing in lists:
        data = thing.data
        for part in [data, *(data.get("views") or ())]:
            found |= {c["field"] for c in part.get("columns") or ()}
            found |= {s.removeprefix("-") for s in part.get("sort") or ()}
    return found


def _wanted(draft: EntityDraft, lists: list[Thing]) -> Iterator[tuple[str, ...]]:
    for member in draft.fields.values():
        if indexable(member) and (member.spec.get("index") or _is_link(member)):
            yield (member.name,)
    if draft.parent is not None:
        yield (draft.parent[1], "position")
    for thing in lists:
        data = thing.data
        sort = _sort(draft, data)
        yield sort
        for view in data.get("views") or ():
            yield _sort(draft, view)
        for item in data.get("filters") or ():
            filtered = draft.fields.get(item["field"])
            if filtered is not None and indexable(filtered):
                yield (filtered.name, *[n for n in sort[:1] if n != filtered.name])


def _sort(draft: EntityDraft, data: dict[str, Any]) -> tuple[str, ...]:
    names = [s.removeprefix("-") for s in data.get("sort") or ()]
    members = [draft.fields.get(n) for n in names]
    return tuple(names) if all(m is not None and indexable(m) for m in members) else ()


def _is_link(member: FieldDraft) -> bool:
    return not member.system and member.type is not None and member.type.storage == "link"


def indexable(member: FieldDraft) -> bool:
    """Whether the field has one column that an index can hold."""
    if member.type is None or member.retired or member.live or member.type_name in {"lookup", *_TOO_LONG}:
        return False
    return member.type.storage in _INDEXABLE
