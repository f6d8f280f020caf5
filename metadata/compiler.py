"""The compiler: layers of documents → one Application, and everything there is to say about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from metadata.drafts import Key, Thing, World
from metadata.model import Application
from metadata.packages import Layer
from metadata.passes import check, freeze, link, overlay, parse, shape, typecheck
from metadata.problems import Problem
from metadata.source import Document
from rules.registry import FunctionRegistry
from rules.registry import functions as registered

PASSES: tuple[Callable[[World], None], ...] = (
    parse.run,
    shape.run,
    overlay.run,
    link.run,
    typecheck.run,
    check.run,
    freeze.run,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """`application` holds what is healthy even where there are errors; None only where nothing could be built."""

    application: Application | None
    problems: list[Problem]
    documents: list[Document]
    things: Mapping[Key, Thing] = field(default_factory=dict, repr=False)  # for metadata.explain

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]


def compile_application(
    layers: Sequence[Layer],
    *,
    languages: Sequence[str] = ("zh", "en"),
    functions: FunctionRegistry | None = None,
    physical: Mapping[str, str] | None = None,
) -> Compiled:
    """Compiles the layers, lowest first.

    `physical` gives the names of tables ("customer") and columns ("customer.name") where they differ from the
    declared ones. Never raises for what is written in documents: that is answered by problems.
    """
    functions = _all_functions(layers, functions)
    world = World(languages=tuple(languages), layers=tuple(layers), functions=functions, physical=dict(physical or {}))
    for run in PASSES:
        run(world)
    documents = [document for layer in layers for document in layer.documents]
    return Compiled(
        application=world.application, problems=in_order(world.problems), documents=documents, things=world.things
    )


def _all_functions(layers: Sequence[Layer], functions: FunctionRegistry | None) -> FunctionRegistry | None:
    """What is given or registered, and what the layers bring along."""
    brought = [function for layer in layers for function in layer.functions]
    return FunctionRegistry([*(functions or registered()), *brought]) if brought else functions


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Each problem once, by file and position, errors first where they stand together."""
    unique = {
        (p.code, p.place.layer, p.place.file, p.place.line, p.place.column, tuple(p.params.items())): p
        for p in problems
    }
    return sorted(unique.values(), key=lambda p: (p.place.file, p.place.line, p.place.column, p.severity, p.code))
