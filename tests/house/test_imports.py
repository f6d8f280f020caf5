"""The import names are ours: PyPI has other packages called metadata, rules, runtime and web."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["rules", "metadata", "runtime", "web"])
def test_package_is_the_one_of_this_tree(name: str) -> None:
    module = importlib.import_module(name)
    assert Path(str(module.__file__)).resolve().is_relative_to(ROOT)


def test_the_pure_leaf_imports_neither_database_nor_web() -> None:
    code = "import sys, rules.expression, rules.evaluate; print([m for m in ('sqlalchemy', 'flask', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_compiler_imports_neither_database_nor_web() -> None:
    code = "import sys, metadata.compiler; print([m for m in ('sqlalchemy', 'flask', 'redis') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
