"""Positions of a document's parts in its source: a tree beside the plain data, and offsets inside scalars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.problems import Place

Path = tuple[str | int, ...]


class Spot:
    """Where one node stands: line and column from 0, character indexes into the text, style of a scalar.

    `children` maps keys (or holds items); `keys` the position of each key itself; `value` a scalar as read.
    """

    __slots__ = ("children", "column", "end", "keys", "line", "named", "start", "style", "value")

    def __init__(self, line: int, column: int, start: int, end: int, style: str | None = None) -> None:
        self.line, self.column, self.start, self.end, self.style = line, column, start, end, style
        self.children: dict[str, Spot] | list[Spot] | None = None
        self.keys: dict[str, tuple[int, int]] | None = None
        self.named: dict[str, Spot] | None = None  # the items of a list by name, once asked for
        self.value: Any = None

    def child(self, part: str | int) -> Spot | None:
        """The node under a key or index. A text asked of a list finds the item of that name."""
        if isinstance(self.children, dict):
            return self.children.get(str(part))
        if isinstance(self.children, list):
            if isinstance(part, int):
                return self.children[part] if part < len(self.children) else None
            return self._item(part)
        return None

    def _item(self, name: str) -> Spot | None:
        if self.named is None:
            self.named = {}
            seen: dict[str, int] = {}  # items without a name of their own go by their number as well
            for item in self.children or ():
                assert isinstance(item, Spot)
                for known, spot in item._called():
                    count = seen[known] = seen.get(known, 0) + 1
                    self.named.setdefault(known if count == 1 else f"{known}_{count}", spot)
        return self.named.get(name)

    def _called(self) -> Iterator[tuple[str, Spot]]:
        """The names an item of a list goes by: itself, its `name` or `field`, or any key or value; a list's items'."""
        if self.children is None:
            names: list[Any] = [self.value]
        elif isinstance(self.children, list):
            for item in self.children:
                yield from item._called()
            return
        else:
            given = next((self.children[word] for word in ("name", "field") if word in self.children), None)
            values = [c.value for c in self.children.values()]
            names = [given.value] if given is not None else [*self.children, *values]
        for name in names:
            if isinstance(name, str):
                yield name, self


class Places(Mapping[Path, Place]):
    """Path → Place. A path that leads beyond the source ends at the nearest part that is there."""

    def __init__(self, root: Spot, file: str, text: str, layer: str = "") -> None:
        self.root, self.file, self.text, self.layer = root, file, text, layer

    def __getitem__(self, path: Path) -> Place:
        spot, _ = self._walk(path)
        return self._place(spot.line, spot.column, path)

    def __iter__(self) -> Iterator[Path]:
        yield from _paths(self.root, ())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def key(self, path: Path) -> Place:
        """The place of the key that leads to `path` (of the value, where that is an item of a list)."""
        parent, depth = self._walk(path[:-1])
        if depth == len(path) - 1 and parent.keys and path and str(path[-1]) in parent.keys:
            line, column = parent.keys[str(path[-1])]
            return self._place(line, column, path)
        return self[path]

    def inside(self, path: Path, offset: int) -> Place:
        """The place of the character `offset` of the text at `path`, counted in the source, escapes and folds too."""
        spot, depth = self._walk(path)
        if depth < len(path) or not isinstance(spot.value, str):
            return self[path]
        index = spot.start + source_offset(self.text[spot.start : spot.end], spot.style, spot.value, offset)
        line = spot.line + self.text.count("\n", spot.start, index)
        return self._place(line, index - self.text.rfind("\n", 0, index) - 1, path)

    def _place(self, line: int, column: int, path: Path) -> Place:
        return Place(file=self.file, line=line + 1, column=column + 1, path=path, layer=self.layer)

    def _walk(self, path: Path) -> tuple[Spot, int]:
        spot = self.root
        for depth, part in enumerate(path):
            below = spot.child(part)
            if below is None:
                return spot, depth
            spot = below
        return spot, len(path)


def _paths(spot: Spot, path: Path) -> Iterator[Path]:
    yield path
    children = spot.children
    pairs: Any = children.items() if isinstance(children, dict) else enumerate(children or ())
    for part, child in pairs:
        yield from _paths(child, (*path, part))


_ESCAPES = {"x": 2, "u": 4, "U": 8}


def source_offset(raw: str, style: str | None, value: str, offset: int) -> int:
    """The index in `raw` (the scalar as written) of character `offset` of its `value`."""
    if style in ("|", ">"):
        return _in_block(raw, value, offset)
    at = 1 if style in ("'", '"') else 0
    done = 0
    while done < offset and at < len(raw):
        char = raw[at]
        if char in " \t\r\n" and "\n" in (run := _blank_run(raw, at)):
            at += len(run)
            done += max(1, run.count("\n") - 1)
        elif style == "'" and raw.startswith("''", at):
            at, done = at + 2, done + 1
        elif style == '"' and char == "\\":
            length, gives = _escape(raw, at)
            at, done = at + length, done + gives
        else:
            at, done = at + 1, done + 1
    return min(at, len(raw))


def _blank_run(raw: str, at: int) -> str:
    end = at
    while end < len(raw) and raw[end] in " \t\r\n":
        end += 1
    return raw[at:end]


def _escape(raw: str, at: int) -> tuple[int, int]:
    """Length of the escape at `at`, and how many characters it gives."""
    if raw[at + 1 : at + 2] in ("\n", "\r"):
        return 1 + len(_blank_run(raw, at + 1)), 0
    return 2 + _ESCAPES.get(raw[at + 1 : at + 2], 0), 1


def _in_block(raw: str, value: str, offset: int) -> int:
    """In a literal or folded scalar: lines lose their indentation, folds turn a line end into a space."""
    start = raw.find("\n") + 1
    body = raw[start:]
    first = next((line for line in body.split("\n") if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    at = _skip(raw, start, indent)
    for char in value[:offset]:
        if at >= len(raw):
            break
        if raw[at] == "\r":
            at += 1
        folded = raw[at : at + 1] == "\n"
        at += 1
        if folded:
            at = _skip(raw, at, indent)
            while char != "\n" and raw[at : at + 1] == "\n":
                at = _skip(raw, at + 1, indent)
    return min(at, max(len(raw) - 1, 0))


def _skip(raw: str, at: int, indent: int) -> int:
    end = at
    while end < len(raw) and end < at + indent and raw[end] == " ":
        end += 1
    return end


__all__ = ["Path", "Places", "Spot", "source_offset"]
