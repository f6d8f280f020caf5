"""Every mutant of the metadata is accepted or answered with located problems: no traceback, no hang, bounded memory."""

from __future__ import annotations

import gc
import random
import re
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from metadata.compiler import compile_application
from metadata.packages import Layer, load_text, platform, stock, stock_files
from metadata.problems import Problem
from metadata.render import phrase, render_text
from tests.metadata.mutants import mutant

ALONE = 5_000
WHOLE = 300
SLOWEST = 2.0
GROWTH = 300 * 1024  # KiB


def texts() -> list[tuple[str, str]]:
    files = {name: path.read_text(encoding="utf-8") for name, path in stock_files().items()}
    root = Path(__file__).parents[2]
    for path in sorted((root / "examples").rglob("*.yaml")):
        if "data" not in path.parts:
            files[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return sorted(files.items())


def assert_located(problems: list[Problem], file: str, text: str | bytes) -> None:
    """Each problem stands in the file, has a sentence in both languages, and can be rendered."""
    lines = (text if isinstance(text, str) else text.decode("utf-8", "replace")).count("\n") + 2
    for problem in problems:
        if problem.place.file == file:
            assert 1 <= problem.place.line <= lines, problem
        assert min(problem.place.line, problem.place.column) >= 1, problem
        for language in ("zh", "en"):
            assert phrase(problem, language) != problem.code, problem
    render_text(problems[:5], {file: text if isinstance(text, str) else ""}, "zh")


@pytest.mark.promise("P15")
@pytest.mark.attack("N71", "T15")
def test_mutants_of_one_document_are_answered() -> None:
    sources = texts()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answered = 0
    for number in range(ALONE):
        file, text = sources[(number * 7) % len(sources)]
        name, changed = mutant(text, number)
        started = time.process_time()
        documents, problems = load_text(changed, file, "stock")
        layer = Layer(name="stock", documents=tuple(documents), problems=tuple(problems))
        problems = compile_application([layer]).problems
        assert time.process_time() - started < SLOWEST, (name, file)
        assert_located(problems, file, changed)
        answered += bool(problems)
    assert answered > ALONE // 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH


@pytest.mark.promise("P15")
def test_mutants_of_the_whole_application_are_answered() -> None:
    base = [platform(), stock()]
    files = stock_files()
    names = sorted(files)
    answered = 0
    for number in range(WHOLE):
        file = names[(number * 13) % len(names)]
        name, changed = mutant(files[file].read_text(encoding="utf-8"), number + 100_000)
        layers = [base[0], with_file(base[1], file, changed)]
        started = time.process_time()
        compiled = compile_application(layers)
        if time.process_time() - started >= SLOWEST:  # a collection of the whole test run may have come between
            gc.collect()
            started = time.process_time()
            compile_application(layers)
            assert time.process_time() - started < SLOWEST, (name, file)
        assert_located(compiled.problems, file, changed)
        answered += bool(compiled.errors)
    assert answered > WHOLE // 3


_KEY = re.compile(r"^ *[a-z_]+:(?= |$)")
_STRUCTURAL: dict[str, Callable[[str], str]] = {
    "syntax.tab": lambda line: "\t" + line.lstrip(),
    "syntax.tag": lambda line: line.replace(":", ": !!python/name:os.system", 1),
    "syntax.duplicate_key": lambda line: f"{line}\n{line}",
    "syntax.anchor": lambda line: line.replace(":", ": &x", 1),
}


@pytest.mark.promise("P15")
@pytest.mark.parametrize("code", sorted(_STRUCTURAL))
def test_structural_mistakes_are_named_at_their_line(code: str) -> None:
    for number, (file, text) in enumerate(texts()):
        lines = text.split("\n")
        keys = [i for i, line in enumerate(lines) if _KEY.match(line) and "|" not in line and ">" not in line]
        at = random.Random(number).choice(keys)
        if code == "syntax.tab" and not lines[at].startswith(" "):
            continue
        changed = "\n".join([*lines[:at], _STRUCTURAL[code](lines[at]), *lines[at + 1 :]])
        _, problems = load_text(changed, file)
        assert any(abs(p.place.line - (at + 1)) <= 2 for p in problems), (file, at + 1, problems)


def with_file(layer: Layer, file: str, text: str | bytes) -> Layer:
    """The layer with one file exchanged."""
    documents, problems = load_text(text, file, layer.name)
    kept = tuple(d for d in layer.documents if d.file != file)
    return replace(layer, documents=(*kept, *documents), problems=tuple(problems))
