"""Large and broken metadata are answered in bounded time."""

from __future__ import annotations

import time

from metadata.compiler import compile_application
from metadata.packages import load_texts, platform


def seconds(text: str) -> tuple[float, int]:
    """Processor seconds and the number of problems."""
    started = time.process_time()
    compiled = compile_application([platform(), load_texts({"all.yaml": text}, "site")])
    return time.process_time() - started, len(compiled.problems)


def test_thousands_of_checks_in_one_entity() -> None:
    check = "  - {{name: c{0}, must: 'size is None or size > {0}', message: {{zh: 太小, en: Too small}}}}\n"
    text = "entity: large\nfields:\n  name: text\n  size: integer\nchecks:\n"
    spent, problems = seconds(text + "".join(check.format(n) for n in range(8000)))
    assert problems == 0
    assert (
        spent < 20
    )  # 1.5 s without other load; what grows by the square would take minutes; 8 s when each place was searched for from the start


def test_thousands_of_unknown_names() -> None:
    one = "entity: e{0}\nfields:\n  name: text\n  other: {{type: link, to: nothing_{0}}}\n"
    spent, problems = seconds("---\n".join(one.format(n) for n in range(3000)))
    assert problems == 3000
    assert spent < 20  # 1.5 s without other load; what grows by the square would take minutes


def test_of_many_names_the_likely_one_is_suggested() -> None:
    text = "---\n".join(f"entity: thing_{n}\nfields: {{name: text}}\n" for n in range(300))
    text += "---\nentity: last\nfields: {name: text, other: {type: link, to: thng_77}}\n"
    compiled = compile_application([platform(), load_texts({"all.yaml": text}, "site")])
    assert [p.hint for p in compiled.problems] == ["thing_77"]
