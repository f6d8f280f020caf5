"""Merging an extension into what it extends: maps by key, lists of named items by name, the rest replaced.

A `Node` keeps, for each part, the document and path that say it, so that a problem and "where does this come from"
always lead to the right line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from metadata.places import Path
from metadata.source import Document

_PLACING = ("after", "before")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(slots=True, kw_only=True)
class Node:
    """A part: a leaf (`value`), a map (`parts`), or a list of named items (`parts`, `named`)."""

    document: Document
    path: Path
    value: Any = None
    parts: dict[str, Node] | None = None
    named: bool = False
    extended: bool = False  # set by an extension, not by the declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong met while merging: `code` and `params` of a problem, in the extension at `path`."""

    code: str
    path: Path
    params: dict[str, str] = field(default_factory=dict)
    other: Node | None = None
    severity: str = "error"


def _places(key: str, value: Any) -> bool:
    """Whether a key of an extension says where its item stands: it names a neighbour, which a time (15d) does not."""
    return key in _PLACING and isinstance(value, str) and _NAME.fullmatch(value) is not None


def item_name(item: Any) -> str | None:
    """The name of an item of a list: its `name`, or the field it places."""
    if not isinstance(item, dict):
        return None
    found = item.get("name", item.get("field"))
    return found if isinstance(found, str) else None


def is_named_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(item_name(i) is not None for i in value)


def tree(value: Any, document: Document, path: Path, extended: bool = False) -> Node:
    """Canonical data as a tree of nodes that know where they come from."""
    node = Node(document=document, path=path, extended=extended)
    if isinstance(value, dict):
        node.parts = {k: tree(v, document, (*path, k), extended) for k, v in value.items()}
    elif is_named_list(value):
        node.parts, node.named = {}, True
        for item in value:
            name = str(item_name(item))
            node.parts.setdefault(name, tree(item, document, (*path, name), extended))
    else:
        node.value = value
    return node


def twice(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Names that stand twice in a list of named items, with the path of the later one."""
    if isinstance(value, dict):
        for key, part in value.items():
            if isinstance(part, dict | list):
                yield from twice(part, (*path, key))
    elif is_named_list(value):
        seen: set[str] = set()
        for index, item in enumerate(value):
            name = str(item_name(item))
            if name in seen:
                yield (*path, index), name
            seen.add(name)
            yield from twice(item, (*path, name))


class Merger:
    """Merges one extension. `allowed(lower, upper)` says whether the upper layer may overrule the lower one."""

    def __init__(self, document: Document, related: Any, keeps: tuple[str, ...] = ()) -> None:
        self.document = document
        self.related = related
        self.keeps = keeps  # containers whose hidden parts stay, marked retired
        self.findings: list[Finding] = []
        self.hidden: list[Path] = []

    def merge(self, base: Node, data: dict[str, Any], path: Path = ()) -> None:
        assert base.parts is not None
        for key, value in data.items():
            if not _places(key, value):
                self._part(base, key, value, (*path, key))

    def _part(self, base: Node, key: str, value: Any, path: Path) -> None:
        assert base.parts is not None
        below = base.parts.get(key)
        if value is None:
            if below is not None:
                self._replace_allowed(below, None, path)
                del base.parts[key]
        elif isinstance(value, dict) and value.get("hide") is True:
            self._hide(base, key, path)
        elif below is not None and below.parts is None and below.value == value and type(below.value) is type(value):
            return
        elif below is None or not self._mergeable(below, value):
            if below is None or self._replace_allowed(below, value, path):
                clean = _without_placing(value)
                base.parts[key] = tree(clean, self.document, path, extended=True)
                self._inner_placing(base.parts[key], value, path)
        elif isinstance(value, dict):
            self.merge(below, value, path)
        else:
            self._list(below, value, path)
        if isinstance(value, dict):
            self._move(base, key, value, path)

    def _mergeable(self, below: Node, value: Any) -> bool:
        if below.parts is None:
            return False
        return is_named_list(value) if below.named else isinstance(value, dict)

    def _list(self, below: Node, items: list[dict[str, Any]], path: Path) -> None:
        for item in items:
            name = str(item_name(item))
            self._part(below, name, item, (*path, name))

    def _inner_placing(self, node: Node, value: Any, path: Path) -> None:
        """`after:` inside a list that is new as a whole orders its own items."""
        if isinstance(value, list) and node.named:
            for item in value:
                self._move(node, str(item_name(item)), item, (*path, str(item_name(item))))

    def _hide(self, base: Node, key: str, path: Path) -> None:
        assert base.parts is not None
        if key not in base.parts:
            self.findings.append(Finding(code="extend.hide", path=path, params={"name": key}, severity="warning"))
        elif self._kept(path):
            parts = base.parts[key].parts
            assert parts is not None
            parts["retired"] = Node(document=self.document, path=(*path, "hide"), value=True, extended=True)
            if len(path) == 2:
                self.hidden.append(path)
        else:
            del base.parts[key]

    def _kept(self, path: Path) -> bool:
        """Fields and choices keep their data when they are hidden."""
        return (len(path) == 2 and path[0] in self.keeps) or (len(path) == 4 and path[2] == "options")

    def _move(self, base: Node, key: str, value: dict[str, Any], path: Path) -> None:
        assert base.parts is not None
        for word in _PLACING:
            anchor = value.get(word)
            if not _places(word, anchor) or key not in base.parts:
                continue
            if anchor not in base.parts or anchor == key:
                self.findings.append(
                    Finding(code="extend.anchor", path=(*path, word), params={"name": str(anchor)[:60], "where": word})
                )
                continue
            moved = base.parts.pop(key)
            names = list(base.parts)
            at = names.index(anchor) + (1 if word == "after" else 0)
            pairs = list(base.parts.items())
            base.parts = dict([*pairs[:at], (key, moved), *pairs[at:]])

    def _replace_allowed(self, below: Node, value: Any, path: Path) -> bool:
        """Whether this layer may overrule what stands there; equal values are no conflict."""
        if not below.extended or self.related(below.document.layer, self.document.layer):
            return True
        if below.parts is None and below.value == value:
            return False
        shown = ".".join(map(str, path))
        self.findings.append(Finding(code="extend.conflict", path=path, params={"path": shown}, other=below))
        return False


def _without_placing(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_placing(v) for k, v in value.items() if v is not None and not _places(k, v)}
    return [_without_placing(v) for v in value] if isinstance(value, list) else value


def flatten(node: Node) -> tuple[Any, dict[Path, tuple[Document, Path]]]:
    """Plain data again, and for each part that is not where its container says, its source."""
    sources: dict[Path, tuple[Document, Path]] = {}
    return _flat(node, (), node.document, sources), sources


def _flat(node: Node, path: Path, document: Document, sources: dict[Path, tuple[Document, Path]]) -> Any:
    if node.document is not document:
        sources[path] = (node.document, node.path)
    if node.parts is None:
        return node.value
    parts = {k: _flat(part, (*path, k), node.document, sources) for k, part in node.parts.items()}
    return list(parts.values()) if node.named else parts
