"""Text → documents: plain data with a position for every part. Nothing here knows what the documents mean.

YAML 1.2 core types on libyaml's events, so that depth is bounded before anything recurses. Refused: tags, anchors,
aliases, merge keys, duplicate keys, more than 1 MB or 50 levels, other encodings than UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import yaml
import yamlcore

from metadata.places import Path, Places, Spot
from metadata.problems import Place, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_DIGITS = 18
VARIED = ("form", "list", "menu")  # kinds that may be given once more for a role or a device

_DOCUMENT_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_HEADER = re.compile(r"^(?:---[ \t]+)?([a-z_]+)[ \t]*:[ \t]*[\"']?([a-z0-9_]+)[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RESOLVERS: Mapping[str, list[tuple[str, re.Pattern[str]]]] = yamlcore.CCoreLoader.yaml_implicit_resolvers
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One declared thing as written. `data` holds its header too; `broken` documents stand only for their name."""

    kind: str
    name: str
    extend: bool
    data: dict[str, Any]
    places: Places = field(repr=False)
    file: str
    layer: str
    text: str = field(repr=False)
    broken: bool = False
    kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # what passes find of it alone

    @property
    def role(self) -> str | None:
        """The role a layout is for (`for: {role: sales}` or `for: sales`)."""
        if self.kind not in VARIED:
            return None
        given = self.data.get("for")
        found = given.get("role") if isinstance(given, dict) else given
        return found if isinstance(found, str) else None

    @property
    def device(self) -> str | None:
        given = self.data.get("on") if self.kind in VARIED else None
        return given if isinstance(given, str) else None

    @property
    def key(self) -> tuple[str, str, str | None, str | None]:
        """What makes it the same thing as another document: kind, name, and for a layout the role and device."""
        return (self.kind, self.name, self.role, self.device)


def load_text(text: str | bytes, file: str, layer: str = "site") -> tuple[list[Document], list[Problem]]:
    """The documents of one file and the problems of its syntax. A broken document hides none of the others."""
    decoded, problem = _decode(text, file)
    if problem is not None:
        return [], [replace(problem, place=replace(problem.place, layer=layer))]
    documents: list[Document] = []
    problems: list[Problem] = []
    for start, end in _chunks(decoded):
        found, met = _Reader(decoded, start, end, file, layer).read()
        documents.extend(found)
        problems.extend(met)
    return documents, problems


def _decode(text: str | bytes, file: str) -> tuple[str, Problem | None]:
    if len(text) > MAX_BYTES:
        return "", Problem(code="syntax.too_large", place=Place(file=file), params={"limit": "1 MB"})
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return "", Problem(code="syntax.encoding", place=_at_byte(file, error.object, error.start))
    text = text.removeprefix("\ufeff")
    odd = _UNPRINTABLE.search(text)
    if odd is None:
        return text, None
    return "", Problem(
        code="syntax.character", place=_at(file, text, odd.start()), params={"character": f"U+{ord(odd[0]):04X}"}
    )


def _at(file: str, text: str, index: int) -> Place:
    return Place(file=file, line=text.count("\n", 0, index) + 1, column=index - text.rfind("\n", 0, index))


def _at_byte(file: str, raw: bytes, index: int) -> Place:
    line_start = raw.rfind(b"\n", 0, index) + 1
    column = len(raw[line_start:index].decode("utf-8", "replace")) + 1
    return Place(file=file, line=raw.count(b"\n", 0, index) + 1, column=column)


def _chunks(text: str) -> list[tuple[int, int]]:
    """Start and end of each document: `---` at the start of a line always begins one, whatever comes before."""
    cuts = [m.start() for m in _DOCUMENT_START.finditer(text)]
    edges = [0, *[c for c in cuts if c > 0], len(text)]
    return [(a, b) for a, b in pairwise(edges) if text[a:b].strip()]


class _Refusal(Exception):  # noqa: N818 - not an error of the program
    """Ends the reading of one document; the problem is recorded already."""


class _Reader:
    """Reads one document from the events of libyaml, iteratively."""

    def __init__(self, text: str, start: int, end: int, file: str, layer: str) -> None:
        self.text, self.file, self.layer = text, file, layer
        self.offset = start
        self.chunk = text[start:end]
        self.first_line = text.count("\n", 0, start)
        self.problems: list[Problem] = []

    def read(self) -> tuple[list[Document], list[Problem]]:
        try:
            data, root = self._build()
        except _Refusal:
            return self._broken_document(), self.problems
        except yaml.MarkedYAMLError as error:
            self._yaml_error(error)
            return self._broken_document(), self.problems
        if root is None or data is None:
            return [], self.problems
        document = self._document(data, root)
        return ([document] if document else self._broken_document()), self.problems

    # --- problems

    def _problem(self, code: str, mark: Any, related: tuple[Place, ...] = (), **params: str) -> None:
        self.problems.append(Problem(code=code, place=self._place(mark), params=params, related=related))

    def _place(self, mark: Any) -> Place:
        return Place(file=self.file, line=self.first_line + mark.line + 1, column=mark.column + 1, layer=self.layer)

    def _yaml_error(self, error: yaml.MarkedYAMLError) -> None:
        mark: Any = error.problem_mark or error.context_mark
        if mark is None:
            self.problems.append(
                Problem(code="syntax.yaml", place=Place(file=self.file, layer=self.layer), params={"detail": ""})
            )
            return
        context: Any = error.context_mark
        related = (self._place(context),) if context is not None and context.line != mark.line else ()
        if self.chunk[mark.index : mark.index + 1] == "\t":
            self._problem("syntax.tab", mark)
        else:
            self._problem("syntax.yaml", mark, related, detail=str(error.problem or error.context or ""))

    def _broken_document(self) -> list[Document]:
        """A stand-in under the name that the first line seems to declare, so that references to it stay silent."""
        header = _HEADER.search(self.chunk)
        if header is None:
            return []
        kind, name = header[1], header[2]
        places = Places(Spot(self.first_line, 0, self.offset, self.offset), self.file, self.text, self.layer)
        extend = kind == "extend"
        return [
            Document(
                kind="entity" if extend else kind,
                name=name,
                extend=extend,
                data={},
                places=places,
                file=self.file,
                layer=self.layer,
                text=self.text,
                broken=True,
            )
        ]

    # --- building

    def _build(self) -> tuple[Any, Spot | None]:
        """Data and positions of the one document of the chunk."""
        top: list[tuple[Any, Spot]] = []
        stack: list[tuple[Any, Spot, str | None]] = []  # container, its spot, the key a value is due for
        event: Any
        for event in yaml.parse(self.chunk, Loader=yaml.CBaseLoader):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event, stack, top)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event, stack, top)
            elif isinstance(event, yaml.CollectionEndEvent):
                end: Any = event.end_mark
                stack.pop()[1].end = self.offset + end.index
            elif isinstance(event, yaml.AliasEvent):
                self._problem("syntax.alias", event.start_mark)
                raise _Refusal
            elif isinstance(event, yaml.DocumentStartEvent):
                if top:
                    self._problem("syntax.two_documents", event.start_mark)
                    raise _Refusal
                if event.version or event.tags:
                    self._problem("syntax.directive", event.start_mark)
        return top[0] if top else (None, None)

    def _open(self, event: Any, stack: list[Any], top: list[Any]) -> None:
        self._properties(event)
        if len(stack) >= MAX_DEPTH:
            self._problem("syntax.too_deep", event.start_mark, limit=str(MAX_DEPTH))
            raise _Refusal
        spot = self._spot(event)
        data: Any
        if isinstance(event, yaml.MappingStartEvent):
            data, spot.children, spot.keys = {}, {}, {}
        else:
            data, spot.children = [], []
        if stack and isinstance(stack[-1][0], dict) and stack[-1][2] is None:
            self._problem("syntax.key", event.start_mark)
            raise _Refusal
        self._place_value(data, spot, stack, top)
        stack.append((data, spot, None))

    def _scalar(self, event: Any, stack: list[Any], top: list[Any]) -> None:
        self._properties(event)
        if stack and isinstance(stack[-1][0], dict) and stack[-1][2] is None:
            container, spot, _ = stack[-1]
            stack[-1] = (container, spot, self._key(event, container, spot))
            return
        spot = self._spot(event)
        spot.value = self._resolve(event)
        self._place_value(spot.value, spot, stack, top)

    def _place_value(self, value: Any, spot: Spot, stack: list[Any], top: list[Any]) -> None:
        if not stack:
            top.append((value, spot))
            return
        container, above, key = stack[-1]
        if isinstance(container, list):
            container.append(value)
            above.children.append(spot)
            return
        if key not in container:
            container[key] = value
            above.children[key] = spot
        stack[-1] = (container, above, None)

    def _key(self, event: Any, container: dict[str, Any], spot: Spot) -> str:
        text: str = event.value
        mark = event.start_mark
        if text == "<<" and not event.style:
            self._problem("syntax.merge", mark)
            raise _Refusal
        if not text:
            self._problem("syntax.key", mark)
            raise _Refusal
        assert spot.keys is not None
        if text in container:
            line, column = spot.keys[text]
            first = Place(file=self.file, line=line + 1, column=column + 1, layer=self.layer)
            self._problem("syntax.duplicate_key", mark, (first,), key=text)
        else:
            spot.keys[text] = (self.first_line + mark.line, mark.column)
        return text

    def _properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._problem("syntax.anchor", event.start_mark)
            raise _Refusal
        if event.tag is not None:
            self._problem("syntax.tag", event.start_mark, tag=str(event.tag)[:60])
            raise _Refusal

    def _spot(self, event: Any) -> Spot:
        mark = event.start_mark
        style = getattr(event, "style", None) or None
        return Spot(
            self.first_line + mark.line,
            mark.column,
            self.offset + mark.index,
            self.offset + event.end_mark.index,
            style,
        )

    def _resolve(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        for tag, pattern in _RESOLVERS.get(text[:1], ()):
            if pattern.match(text):
                return self._typed(tag.removeprefix(_TAG), text, event)
        return text

    def _typed(self, tag: str, text: str, event: Any) -> Any:
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        lower = text.lower()
        if (
            sum(c.isalnum() for c in text) > MAX_DIGITS
            or "nan" in lower
            or "inf" in lower
            or abs(_exponent(lower, tag)) > MAX_DIGITS
        ):
            self._problem("syntax.number", event.start_mark, number=text[:30])
            raise _Refusal
        if tag == "int":
            return int(text, 8 if "0o" in lower else 16 if "0x" in lower else 10)
        return Decimal(text)

    # --- the header

    def _document(self, data: Any, root: Spot) -> Document | None:
        places = Places(root, self.file, self.text, self.layer)
        if not isinstance(data, dict) or not data:
            self.problems.append(Problem(code="document.not_a_map", place=places[()]))
            return None
        word = next(iter(data))
        kind, name, extend = word, data[word], word == "extend"
        if extend:
            kind, name = _extended(name)
        if not isinstance(kind, str) or not isinstance(name, str) or not name:
            self.problems.append(
                Problem(
                    code="document.name", place=places[(word,)], params={"kind": word, "example": f"{word}: customer"}
                )
            )
            return None
        return Document(
            kind=kind,
            name=name,
            extend=extend,
            data=data,
            places=places,
            file=self.file,
            layer=self.layer,
            text=self.text,
        )


def _exponent(text: str, tag: str) -> int:
    _, found, digits = text.partition("e")
    return int(digits) if tag == "float" and found and len(digits) < 6 else 99 if tag == "float" and found else 0


def _extended(value: Any) -> tuple[Any, Any]:
    """`extend: customer` extends an entity; `extend: {form: customer}` a thing of another kind."""
    if isinstance(value, dict) and len(value) == 1:
        return next(iter(value.items()))
    return "entity", value


__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "Path", "load_text"]
