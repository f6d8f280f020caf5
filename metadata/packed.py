"""The compiled application as bytes and back, so that a process need not compile what another has compiled.

Plain data in JSON: a list of plain values, a list of shapes (a class and the attributes given to it) and a list of
nodes, each of which names values and nodes before it. Equal nodes are written once and are one object again when read,
so that what is read is smaller than what was compiled. Reading makes nothing but the dataclasses of the model and of
the expression language: whatever the bytes say, no code but their constructors runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

import orjson

from metadata.frozen import FrozenMap
from metadata.model import Application

HOMES = ("metadata.model", "metadata.models", "metadata.access", "metadata.texts", "rules")
DERIVED = frozenset({"prepared"})  # of an expression: what its executions keep
_TUPLE, _FROZENSET, _MAP, _LIST, _DICT, _SHAPES = range(6)
_PLAIN: tuple[type, ...] = (str, bool, int, type(None))
_WORDS: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    Decimal: ("decimal", str, Decimal),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    float: ("float", repr, float),
    int: ("int", str, int),  # beyond what JSON readers hold
}
_READ = {word: read for word, _, read in _WORDS.values()}
_LARGEST = 2**53
_INTERNED = 64  # characters


class UnpackError(ValueError):
    """These bytes are no application of this program."""


def pack(app: Application) -> bytes:
    """The application as bytes. Raises TypeError for a value that is neither plain nor of the model."""
    packer = _Packer()
    packer.add(app)
    return orjson.dumps({"values": packer.values, "shapes": packer.shapes, "nodes": packer.nodes})


def unpack(data: bytes) -> Application:
    """The application that `pack` was given. Raises `UnpackError`."""
    try:
        found = _unpack(orjson.loads(data))
    except (ValueError, TypeError, LookupError, AttributeError, ImportError, ArithmeticError) as error:
        raise UnpackError(str(error)) from error
    if not isinstance(found, Application):
        raise UnpackError("no application")
    return found


class _Packer:
    """Plain values are numbered from -1 downwards, nodes from 0 upwards."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.shapes: list[list[Any]] = []
        self.nodes: list[list[int]] = []
        self._numbers: dict[tuple[int, ...], int] = {}  # a node as written → its number
        self._values: dict[type, dict[str, int]] = {kind: {} for kind in (*_PLAIN, *_WORDS)}
        self._shapes: dict[Any, int] = {}
        self._seen: dict[int, tuple[int, Any]] = {}  # by identity; the object is held, so that its id stays its own

    def add(self, value: Any) -> int:
        """The number of a value, written first where it is new."""
        known = self._values.get(type(value))
        if known is not None:
            text = value if type(value) is str else str(value)
            number = known.get(text)
            return self._plain(value, known, text) if number is None else number
        seen = self._seen.get(id(value))
        if seen is None:
            seen = self._seen[id(value)] = (self._node(value), value)
        return seen[0]

    def _plain(self, value: Any, known: dict[str, int], text: str) -> int:
        small = type(value) is int and abs(value) <= _LARGEST
        word = None if small else _WORDS.get(type(value))
        self.values.append([word[0], word[1](value)] if word else value)
        number = known[text] = -len(self.values)
        return number

    def _node(self, value: Any) -> int:
        kind, parts, shared = self._parts(value)
        node = [kind, *map(self.add, parts)]
        key = tuple(node)
        found = self._numbers.get(key) if shared else None
        if found is None:
            found = len(self.nodes)
            self.nodes.append(node)
            if shared:
                self._numbers[key] = found
        return found

    def _parts(self, value: Any) -> tuple[int, Iterable[Any], bool]:
        """Kind, parts, and whether equal ones may be one object."""
        kind: Any = type(value)
        if kind is tuple:
            return _TUPLE, value, True
        if kind is FrozenMap:
            return _MAP, [part for pair in value.items() for part in pair], True
        if kind is frozenset:
            return _FROZENSET, sorted(value, key=repr), True
        if kind is list:
            return _LIST, value, False
        if kind is dict:
            return _DICT, [part for pair in value.items() for part in pair], False
        given = {}
        for name, default in _members(kind):
            part = getattr(value, name)
            if part is not default and (type(part) is not type(default) or part != default):
                given[name] = part
        # What is compared by identity stays apart.
        return _SHAPES + self._shape(kind, tuple(given)), given.values(), kind.__dataclass_params__.eq

    def _shape(self, kind: type, given: tuple[str, ...]) -> int:
        found = self._shapes.get((kind, given))
        if found is None:
            found = self._shapes[kind, given] = len(self.shapes)
            self.shapes.append([kind.__module__, kind.__qualname__, given])
        return found


@cache
def _members(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The attributes of a class of the model, each with the plain default that need not be said."""
    if not is_dataclass(kind) or not _at_home(kind.__module__):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not of the model")
    return tuple((member.name, member.default) for member in fields(kind) if member.name not in DERIVED)


def _unpack(data: Any) -> Any:
    values = [_read(value) for value in data["values"]]
    values.reverse()  # number -1 is the last then
    makers = [_maker(_class(module, name), tuple(given)) for module, name, given in data["shapes"]]
    # Nodes are counted from 0 and plain values from the end, so that one list answers for both.
    nodes: list[list[int]] = data["nodes"]
    found: list[Any] = [None] * len(nodes) + values
    get = found.__getitem__
    for number, (kind, *parts) in enumerate(nodes):
        if parts and max(parts) >= number:
            raise UnpackError("a node names one after it")
        if kind >= _SHAPES:
            found[number] = makers[kind - _SHAPES](map(get, parts))
        elif kind == _TUPLE:
            found[number] = tuple(map(get, parts))
        elif kind == _MAP:
            found[number] = FrozenMap(dict(zip(map(get, parts[::2]), map(get, parts[1::2]), strict=True)))
        elif kind == _FROZENSET:
            found[number] = frozenset(map(get, parts))
        elif kind == _LIST:
            found[number] = list(map(get, parts))
        else:
            found[number] = dict(zip(map(get, parts[::2]), map(get, parts[1::2]), strict=True))
    return found[len(nodes) - 1]


def _read(value: Any) -> Any:
    if isinstance(value, str):
        return sys.intern(value) if len(value) < _INTERNED else value
    if isinstance(value, list):
        word, text = value
        return _READ[word](text)
    return value


def _maker(kind: Any, given: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    return lambda parts: kind(**dict(zip(given, parts, strict=True)))


def _class(module: str, name: str) -> type:
    """A dataclass of the model; nothing else can be named."""
    if not _at_home(module):
        raise UnpackError(module)
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, type) or not is_dataclass(found) or found.__module__ != module:
        raise UnpackError(f"{module}.{name}")
    return found


def _at_home(module: str) -> bool:
    return any(module == home or module.startswith(home + ".") for home in HOMES)
