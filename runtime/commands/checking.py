"""What `octavo check`, `plan` and `schema` say: layers to check, problems and plans as data and as lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from metadata import packages
from metadata.kinds import KINDS
from metadata.packages import Layer, load_folder
from metadata.render import phrase, render_json, sources_of
from metadata.schemas import schema_for
from runtime import hooks
from runtime.publishing.layers import SITE, folder_layers, package_layer
from runtime.publishing.publish import PublishPlan
from runtime.settings import CONFIG_FILE, load_settings


def layers_to_check(site: Path, paths: Sequence[Path]) -> list[Layer]:
    """The layers of the site in the folder, else the stock application; with `paths` these folders on top.

    A path with a `package.yaml` is a package, another is read as a site layer.
    """
    if not paths and (site / CONFIG_FILE).is_file():
        return folder_layers(load_settings(site))
    layers = [packages.platform(), packages.stock()]
    layers += [load_folder(package.folder, package.name)[0] for package in hooks.code_packages()]
    return [*layers, *(layer_of(path.resolve()) for path in paths)]


def layer_of(path: Path) -> Layer:
    """The layer in a folder."""
    if (path / "package.yaml").is_file():
        return package_layer(path)
    if (path / CONFIG_FILE).is_file():
        path = path / "metadata"
    return load_folder(path, SITE)[0]


def sources(layers: Iterable[Layer]) -> dict[str, str]:
    """File name → text, for the excerpts."""
    return sources_of(document for layer in layers for document in layer.documents)


# --- plans -------------------------------------------------------------------------------------------------------


def plan_data(made: PublishPlan, language: str) -> dict[str, Any]:
    """A plan as JSON values."""
    return {
        "base": made.base,
        "errors": len(made.errors),
        "problems": render_json(made.problems, language),
        "changes": list(made.changes),
        "steps": [{"kind": s.kind, "text": s.describe(), "cost": s.cost} for s in made.plan.steps] if made.plan else [],
        "impacts": [
            {
                "code": i.code,
                "severity": i.severity,
                "entity": i.entity,
                "field": i.field or None,
                "count": i.count,
                "sample": [str(n) for n in i.sample],
                "sentence": i.sentence(language),
            }
            for i in made.impacts
        ],
    }


_HEADINGS = {
    "errors": {"zh": "错误", "en": "Errors"},
    "changes": {"zh": "改动的文件", "en": "Changed files"},
    "steps": {"zh": "数据库", "en": "Database"},
    "impacts": {"zh": "对数据的影响", "en": "What it means for the data"},
    "nothing": {"zh": "没有任何更改。", "en": "Nothing would change."},
}
_COST = {
    "instant": {"zh": "", "en": ""},
    "scan": {"zh": "  （读取全表）", "en": "  (reads the whole table)"},
    "rewrite": {"zh": "  （重写全表）", "en": "  (rewrites the whole table)"},
}
_MARK = {"info": " ", "warning": "!", "danger": "!!", "refuse": "✗"}


def plan_lines(made: PublishPlan, language: str) -> list[str]:
    """A plan for a terminal."""
    parts: list[tuple[str, list[str]]] = [
        ("errors", [f"{p.place.file}:{p.place.line}:{p.place.column} {phrase(p, language)}" for p in made.errors]),
        ("changes", list(made.changes)),
        ("steps", [f"{s.describe()}{_COST[s.cost][language]}" for s in made.plan.steps] if made.plan else []),
        ("impacts", [f"{_MARK[i.severity]} {i.sentence(language)}" for i in made.impacts]),
    ]
    lines: list[str] = []
    for name, texts in parts:
        if texts:
            lines += [f"{_HEADINGS[name][language]}:", *(f"  {text}" for text in texts)]
    return lines or [_HEADINGS["nothing"][language]]


# --- schemas -----------------------------------------------------------------------------------------------------


def kinds() -> list[tuple[str, str]]:
    """(kind, folder it lies in) of all declared kinds."""
    return [(word, getattr(kind, "folder", "")) for word, kind in sorted(KINDS.items())]


def schema_of(kind: str) -> dict[str, Any] | None:
    """The JSON Schema of a kind, or None."""
    return dict(schema_for(kind)) if kind in KINDS else None


def write_schemas(folder: Path) -> list[Path]:
    """One file per kind, for editors."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in sorted(KINDS):
        path = folder / f"{kind}.schema.json"
        path.write_text(json.dumps(schema_for(kind), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written
