"""The compiled application as bytes: the same when read again, and no way in for anything but the model."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import orjson
import pytest

from metadata.compiler import Compiled, compile_application
from metadata.frozen import FrozenMap
from metadata.packages import platform, stock
from metadata.packed import DERIVED, UnpackError, pack, unpack


@pytest.fixture(scope="module")
def application() -> Compiled:
    return compile_application([platform(), stock()])


def plain(value: Any) -> Any:
    """A value of the model as nested plain data, types included."""
    if is_dataclass(value):
        return (
            type(value).__name__,
            {m.name: plain(getattr(value, m.name)) for m in fields(value) if m.name not in DERIVED},
        )
    if isinstance(value, FrozenMap | dict):
        return [(k, plain(v)) for k, v in value.items()]
    if isinstance(value, tuple | list):
        return type(value).__name__, [plain(v) for v in value]
    return (type(value).__name__, value if isinstance(value, frozenset) else repr(value))


def test_what_is_read_is_what_was_written(application: Compiled) -> None:
    app = application.application
    assert app is not None
    data = pack(app)
    again = unpack(data)
    assert plain(again) == plain(app)
    assert pack(again) == data
    assert list(again.entities) == list(app.entities)


def test_equal_parts_are_one_object_and_expressions_stay_apart(application: Compiled) -> None:
    assert application.application is not None
    again = unpack(pack(application.application))
    members = [m for e in again.entities.values() for m in e.fields.values()]
    types = {repr(m.value_type): m.value_type for m in members}
    assert all(m.value_type is types[repr(m.value_type)] for m in members)
    conditions = [m.formula for m in members if m.formula is not None]
    assert len({id(f) for f in conditions}) == len(conditions)
    assert len({id(f.prepared) for f in conditions}) == len(conditions)


@pytest.mark.attack("N72", "T11")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"values": [], "shapes": [], "nodes": []}',
        b'{"values": [], "shapes": [["os", "system", []]], "nodes": [[5]]}',
        b'{"values": ["id"], "shapes": [["subprocess", "Popen", ["args"]]], "nodes": [[5, -1]]}',
        b'{"values": [], "shapes": [["rules.evaluate", "evaluate", []]], "nodes": [[5]]}',
        b'{"values": [], "shapes": [["rules.registry", "importlib", []]], "nodes": [[5]]}',
        b'{"values": [], "shapes": [["metadata.model", "Choice", ["nothing"]]], "nodes": [[5]]}',
        b'{"values": [["exec", "1"]], "shapes": [], "nodes": [[0, -1]]}',
        b'{"values": [["decimal", "x"]], "shapes": [], "nodes": [[0, -1]]}',
        b'{"values": [], "shapes": [], "nodes": [[0, 1], [0]]}',
        b'{"values": [], "shapes": [], "nodes": [[0, -7]]}',
        b'{"values": [], "shapes": [], "nodes": [[0]]}',
    ],
)
def test_bytes_that_are_no_application_are_refused(data: bytes) -> None:
    with pytest.raises(UnpackError):
        unpack(data)


def test_every_cut_is_refused(application: Compiled) -> None:
    assert application.application is not None
    data = orjson.loads(pack(application.application))
    for cut in (0, 1, len(data["nodes"]) // 2, len(data["nodes"]) - 1):
        with pytest.raises(UnpackError):
            unpack(orjson.dumps(data | {"nodes": data["nodes"][:cut]}))


def test_only_the_model_is_written() -> None:
    class Other:
        pass

    with pytest.raises(TypeError):
        pack(Other())  # type: ignore[arg-type]
