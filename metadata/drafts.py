"""The things between source and model: what the passes read and fill. Nothing of this outlives a compilation."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metadata.fields.base import FieldType
from metadata.places import Path
from metadata.problems import Place, Problem, Severity
from metadata.source import Document
from rules.expression import Expression
from rules.typing import INTEGER, FieldInfo, Type

MOST_PROBLEMS = 100  # of one document in the passes after its shape
_LONGEST, _COMPARED = 60, 200

if TYPE_CHECKING:
    from metadata.kinds.base import Kind

Key = tuple[str, str, str | None, str | None]


@dataclass(slots=True, kw_only=True)
class Shaped:
    """A document whose shape was checked: its data in canonical form, without the parts that had problems."""

    document: Document
    kind: type[Kind]
    data: dict[str, Any]
    partial: bool = False
    twice: tuple[tuple[Path, str], ...] = ()  # names that stand twice, and where


@dataclass(slots=True, kw_only=True)
class Thing:
    """One declared thing: the canonical data of its document with all extensions merged in.

    `sources` maps a path of the merged data to (document, path there) where it came from an extension.
    `partial` things lost parts to problems: what depends on them stays silent.
    """

    kind: type[Kind]
    name: str
    key: Key
    data: dict[str, Any]
    document: Document
    sources: dict[Path, tuple[Document, Path]] = field(default_factory=dict)
    extended_by: list[Document] = field(default_factory=list)
    partial: bool = False
    expressions: dict[Path, Expression] = field(default_factory=dict)

    def source(self, path: Path) -> tuple[Document, Path]:
        """The document that says what stands at `path`, and where in it."""
        for cut in range(len(path), -1, -1):
            found = self.sources.get(path[:cut])
            if found is not None:
                return found[0], found[1] + path[cut:]
        return self.document, path

    def place(self, path: Path = (), offset: int | None = None, key: bool = False) -> Place:
        document, inner = self.source(path)
        if offset is not None:
            return document.places.inside(inner, offset)
        return document.places.key(inner) if key and inner else document.places[inner]

    def expression(self, path: Path) -> Expression | None:
        return self.expressions.get(path)


@dataclass(slots=True, kw_only=True)
class FieldDraft:
    """A field with its names resolved. `path` leads to its declaration in the entity's data."""

    name: str
    type_name: str
    spec: dict[str, Any]
    type: FieldType | None
    value_type: Type
    path: Path
    system: bool = False
    live: bool = False
    sensitive: bool = False
    retired: bool = False


@dataclass(slots=True, kw_only=True)
class EntityDraft:
    name: str
    thing: Thing
    fields: dict[str, FieldDraft]
    lost: set[str] = field(default_factory=set)  # fields that were declared but could not be read
    parent: tuple[str, str] | None = None
    parent_field: str | None = None


@dataclass(slots=True, kw_only=True)
class OptionsDraft:
    name: str
    thing: Thing
    path: Path  # where the choices stand in the thing
    choices: dict[str, dict[str, Any]]
    property_types: dict[str, Type]


@dataclass(slots=True, kw_only=True)
class World:
    """All things by name, and the `Schema` that expressions are checked against."""

    languages: tuple[str, ...] = ("zh", "en")
    layers: tuple[Any, ...] = ()  # metadata.packages.Layer, lowest first
    documents: list[Document] = field(default_factory=list)  # of kinds that are known
    shaped: list[Shaped] = field(default_factory=list)
    physical: Mapping[str, str] = field(default_factory=dict)  # `entity` and `entity.field` → physical name
    application: Any = None
    things: dict[Key, Thing] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)  # (kind, name) of what could not be read
    entities: dict[str, EntityDraft] = field(default_factory=dict)
    options: dict[str, OptionsDraft] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    functions: Any = None
    hidden_fields: set[tuple[str, str]] = field(default_factory=set)
    used: set[tuple[str, str]] = field(default_factory=set)  # (entity, field) that declarations name
    reported: dict[int, int] = field(default_factory=dict)  # problems by id of document
    names: dict[str, set[str]] = field(default_factory=dict)  # by kind; filled once everything is declared
    alike: dict[str, tuple[int, dict[tuple[str, int], list[str]]]] = field(default_factory=dict)  # by kind
    hidden: set[tuple[str, str]] = field(default_factory=set)  # (kind, name) of things an upper layer hides
    dependencies: list[Any] = field(default_factory=list)

    # --- problems

    def report(
        self,
        code: str,
        thing: Thing,
        path: Path = (),
        *,
        offset: int | None = None,
        at_key: bool = False,
        severity: Severity = "error",
        hint: str | None = None,
        related: Iterable[Place] = (),
        **params: Any,
    ) -> None:
        self.reported[id(thing.document)] = self.reported.get(id(thing.document), 0) + 1
        if self.reported[id(thing.document)] > MOST_PROBLEMS:
            return
        place = thing.place(path, offset, at_key)
        self.problems.append(
            Problem(code=code, place=place, severity=severity, params=params, hint=hint, related=tuple(related))
        )

    def report_at(
        self,
        code: str,
        place: Place,
        *,
        severity: Severity = "error",
        hint: str | None = None,
        related: Iterable[Place] = (),
        **params: Any,
    ) -> None:
        self.problems.append(
            Problem(code=code, place=place, severity=severity, params=params, hint=hint, related=tuple(related))
        )

    def had_enough(self, thing: Thing) -> bool:
        """Whether so much was said of a document that more would help nobody, and only take time."""
        return self.reported.get(id(thing.document), 0) >= MOST_PROBLEMS

    # --- looking things up

    def of_kind(self, word: str) -> Iterable[Thing]:
        return [t for t in self.things.values() if t.kind.word == word]

    def names_of(self, word: str) -> set[str]:
        if word == "entity":
            return set(self.entities)
        if word == "options":
            return set(self.options)
        if word not in self.names:
            self.names[word] = {t.name for t in self.of_kind(word)}
        return self.names[word]

    def suggest(self, word: str, name: str, known: Iterable[str]) -> str | None:
        """The known name most like `name`. Very many names of a kind are sorted once, not at each question."""
        names = known if isinstance(known, Collection) else list(known)
        if len(names) <= _COMPARED:
            return suggestion(name, names)
        index = self.alike.get(word)
        if index is None or index[0] != len(names):
            groups: dict[tuple[str, int], list[str]] = {}
            for each in names:
                groups.setdefault((each[:1], len(each)), []).append(each)
            index = self.alike[word] = (len(names), groups)
        near = [k for more in (0, 1, -1, 2, -2) for k in index[1].get((name[:1], len(name) + more), ())]
        return suggestion(name, near[:_COMPARED])

    def is_broken(self, word: str, name: str) -> bool:
        return (word, name) in self.broken

    def untrusted(self, entity: str | None) -> bool:
        """Whether an entity lost parts, so that an unknown name in it may be a consequence."""
        if entity is None:
            return False
        draft = self.entities.get(entity)
        return self.is_broken("entity", entity) or (draft is not None and (draft.thing.partial or bool(draft.lost)))

    def field_at(self, entity: str, path: Iterable[str]) -> FieldDraft | None:
        """The field a dotted path ends at."""
        found: FieldDraft | None = None
        here: str | None = entity
        for part in path:
            draft = self.entities.get(here) if here else None
            found = draft.fields.get(part) if draft else None
            if found is None:
                return None
            here = found.value_type.entity if found.value_type.kind == "record" else None
        return found

    # --- rules.typing.Schema

    def entity_names(self) -> Iterable[str]:
        return self.entities

    def field_info(self, entity: str, name: str) -> FieldInfo | None:
        draft = self.entities.get(entity)
        found = draft.fields.get(name) if draft else None
        if found is None or found.retired:
            return None
        return FieldInfo(name=name, type=found.value_type, live=found.live, sensitive=found.sensitive)

    def field_names(self, entity: str) -> Iterable[str]:
        draft = self.entities.get(entity)
        return [f.name for f in draft.fields.values() if not f.retired] if draft else []

    def choices(self, options: str) -> tuple[str, ...]:
        found = self.options.get(options)
        return tuple(found.choices) if found else ()

    def choice_properties(self, options: str) -> Mapping[str, Type]:
        found = self.options.get(options)
        return {"order": INTEGER, **found.property_types} if found else {"order": INTEGER}

    def choice_value(self, options: str, choice: str, prop: str) -> object:
        found = self.options.get(options)
        if found is None or choice not in found.choices:
            return None
        if prop == "order":
            return list(found.choices).index(choice)
        return found.choices[choice].get("properties", {}).get(prop)

    def title_field(self, entity: str) -> str | None:
        draft = self.entities.get(entity)
        return title_of(draft) if draft else None

    def currency_field(self, entity: str) -> str | None:
        draft = self.entities.get(entity)
        declared = draft.thing.data.get("currency") if draft else None
        return declared if draft and declared in draft.fields else None

    def open_options(self, options: str) -> bool:
        found = self.options.get(options)
        return bool(found and found.path == ("choices",) and found.thing.data.get("open") is True)


def entity_of(thing: Thing) -> str:
    """The entity of a layout: declared, or the one of its own name."""
    found = thing.data.get("entity")
    return found if isinstance(found, str) else thing.name


def title_of(draft: EntityDraft) -> str:
    """The declared title; else a field `name` or `title`, else the number's field, else the id."""
    declared = draft.thing.data.get("title")
    if isinstance(declared, str):
        return declared
    for guess in ("name", "title"):
        if guess in draft.fields and draft.fields[guess].value_type.kind == "text":
            return guess
    numbered = (draft.thing.data.get("number") or {}).get("field")
    return numbered if numbered in draft.fields else "id"


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, if any is. Of very many known names only the likeliest are compared."""
    if len(name) > _LONGEST:
        return None
    near = sorted(k for k in known if abs(len(k) - len(name)) <= 1 + len(name) // 2)
    if len(near) > _COMPARED:
        near = [k for k in near if k[:1] == name[:1] and abs(len(k) - len(name)) <= 2][:_COMPARED]
    found = difflib.get_close_matches(name, near, 1, 0.6)
    return found[0] if found else None
