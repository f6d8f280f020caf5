"""What the tests of the compiler share."""

from __future__ import annotations

from metadata.compiler import Compiled, compile_application
from metadata.packages import Layer, load_texts


def compiled(*texts: str, layers: tuple[str, ...] = ("stock", "site"), below: tuple[Layer, ...] = ()) -> Compiled:
    """The texts as one file each of the layers in turn."""
    named = zip(layers, texts, strict=False)
    return compile_application([*below, *(load_texts({f"{layer}.yaml": text}, layer) for layer, text in named)])


def codes(found: Compiled) -> list[str]:
    return [p.code for p in found.problems if p.severity == "error"]


def places(found: Compiled) -> list[tuple[str, int, int]]:
    return [(p.code, p.place.line, p.place.column) for p in found.problems if p.severity == "error"]


VISIT = """\
entity: visit
fields:
  subject: {type: text, required: true}
  visited_on: date
  hours: {type: decimal, scale: 1}
"""
