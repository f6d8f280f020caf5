"""What a declared kind is: a shape with a word of its own, the names it refers to, its expressions, and its model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from metadata.kinds.shape import NAME, Defs, Json, Shape
from metadata.places import Path
from rules.typing import Type

if TYPE_CHECKING:
    from metadata.drafts import Thing, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A name at `path` that must be there. `to` is a kind's word, or "field" / "path" (dotted) of `entity`."""

    path: Path
    to: str
    name: str
    entity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An expression at `path`, and what it is checked against. `skip` characters before it do not belong to it."""

    path: Path
    text: str
    entity: str | None
    expected: Type | None = None
    skip: int = 0
    parameters: Mapping[str, Type] | None = None
    allow_old: bool = False
    outer: str | None = None  # the entity of `this`, where the bare names are another's
    measures: Mapping[str, Type] | None = None  # not None: aggregates stand free, these are earlier measures


class Kind(Shape):
    """A kind of document. Its attributes are its properties; `word` is the first key of the document."""

    word: ClassVar[str]
    folder: ClassVar[str]
    called: ClassVar[Mapping[str, str]]
    about: ClassVar[Mapping[str, str]]
    example: ClassVar[str] = ""
    declared: ClassVar[bool] = False  # `build` makes a part of `Application.declared`
    later: ClassVar[tuple[str, ...]] = ()  # properties of the language that this version does not do yet

    @classmethod
    def schema(cls, extend: bool = False) -> Json:
        """The JSON Schema of the document, or of one that extends it."""
        defs: Defs = {}
        header = {"type": "string", "pattern": NAME}
        whole = cls.object_schema(defs, extend, in_container=True)
        whole["properties"] = {cls.word: header, **whole["properties"]}
        if extend:
            target = {"type": "object", "properties": {cls.word: header}, "required": [cls.word]}
            whole["properties"].pop(cls.word)
            whole["properties"] = {"extend": {"if": {"type": "string"}, "else": target}, **whole["properties"]}
        for word in cls.later:
            whole["properties"][word] = {}
        whole["required"] = ["extend" if extend else cls.word, *whole.get("required", [])]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": cls.word,
            "description": cls.about["en"],
            **whole,
            "$defs": defs,
        }

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        """The names this thing needs."""
        return ()

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        """The expressions it holds."""
        return ()

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        """Reports what is well-formed and still makes no sense."""

    @classmethod
    def build(cls, thing: Thing, world: World) -> Any:
        """Its part of the frozen model."""
        return None


KINDS: dict[str, type[Kind]] = {}
K = TypeVar("K", bound=type[Kind])


def register(cls: K) -> K:
    KINDS[cls.word] = cls
    return cls
