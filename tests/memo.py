"""What the same documents compile to is worked out once a test process: applications are immutable, sites share them.

Two thirds of the time of a small test went into compiling the platform's documents again and again. What compiles, and
what is kept between processes, has tests of its own that do not come by here (`fresh`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from metadata.compiler import Compiled
from metadata.effect_functions import effect_functions
from metadata.model import Application
from metadata.packages import Layer
from rules.assigning import strategies
from rules.registry import functions
from runtime import hooks
from runtime.publishing import layers as layering
from runtime.publishing import store
from runtime.settings import Settings

MOST = 8  # a compiled stock application takes tens of megabytes with its documents


class Memo:
    """The results used last, by key."""

    def __init__(self, most: int) -> None:
        self.most, self.known = most, OrderedDict[Hashable, Any]()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key in self.known:
            self.known.move_to_end(key)
            return self.known[key]
        found = self.known[key] = make()
        while len(self.known) > self.most:
            self.known.popitem(last=False)
        return found


_compiled, _loaded = Memo(MOST), Memo(MOST)
_compile, _load = layering.compile_application, store.load_application


def _registered() -> Hashable:
    """Everything beside the documents that decides what they compile to."""
    bodies = frozenset((f.name, id(f.body)) for f in functions())
    effects = frozenset((name, id(f.call)) for name, f in effect_functions().items())
    picks = frozenset((name, id(f)) for name, f in strategies().items())
    return bodies, effects, picks, tuple(sorted(hooks.fingerprints().items()))


def _compile_once(layers: Sequence[Layer]) -> Compiled:
    digest = sha256()
    for layer in layers:
        digest.update(repr((layer.name, layer.package, [id(f) for f in layer.functions])).encode())
        for document in layer.documents:
            digest.update(f"\0{document.file}\0{document.text}".encode(errors="surrogateescape"))
    found: Compiled = _compiled.get((digest.digest(), _registered()), lambda: _compile(layers))
    return found


def _load_once(connection: sa.Connection, number: int, settings: Settings) -> Application:
    store._check_code(connection, number)
    documents = sha256(store._packed_documents(connection, number)).digest()
    key = (documents, _registered())
    found: Application = _loaded.get(key, lambda: _load(connection, number, settings))
    return found


def install() -> None:
    layering.compile_application = _compile_once
    store.load_application = _load_once


@contextmanager
def fresh() -> Iterator[None]:
    """Everything is compiled and read as it is outside tests."""
    layering.compile_application, store.load_application = _compile, _load
    try:
        yield
    finally:
        install()
