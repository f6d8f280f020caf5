"""One renderer for the problems of metadata: text with an excerpt and a caret, JSON, SARIF, HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from metadata.fields.messages import MESSAGES as VALUE_MESSAGES
from metadata.messages import MESSAGES
from metadata.problems import Place, Problem
from metadata.source import Document
from rules import messages as expression_messages
from rules.errors import ExpressionProblem

_EXPRESSION = "expression."
_WIDEST = 160
_PLAIN_LAYERS = ("", "platform", "stock", "site")
_MEANT = {"zh": "是不是“{hint}”？", "en": "Did you mean “{hint}”?"}
_SEE = {"zh": "参见", "en": "see"}
_SEVERITY = {"zh": {"error": "错误", "warning": "警告"}, "en": {"error": "error", "warning": "warning"}}
_KINDS = {
    "entity": "实体", "options": "选项集", "role": "角色", "report": "报表", "numbering": "编号规则", "view": "视图",
    "form": "表单", "list": "列表", "segment": "细分", "menu": "菜单", "package": "扩展包",
}  # fmt: skip


_OPERATIONS = {"read": "查看", "create": "新建", "edit": "修改"}


class _Params(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def phrase(problem: Problem, language: str) -> str:
    """The problem in one sentence, with its "did you mean"."""
    if problem.code.startswith(_EXPRESSION):
        inner = ExpressionProblem(
            code=problem.code.removeprefix(_EXPRESSION), params=dict(problem.params), hint=problem.hint
        )
        return expression_messages.phrase(inner, language)
    message = MESSAGES.get(problem.code)
    if message is None:
        return problem.code
    text = (message.zh if language == "zh" else message.en).format_map(_filled(problem, language))
    return text + ("。" if language == "zh" else ". ") + meant if (meant := _meant(problem, language)) else text


def advice(problem: Problem, language: str) -> str:
    """What to do about it; "" where the sentence says it all."""
    message = MESSAGES.get(problem.code)
    if message is None:
        return ""
    return (message.advice_zh if language == "zh" else message.advice_en).format_map(_filled(problem, language))


def _meant(problem: Problem, language: str) -> str:
    return _MEANT.get(language, _MEANT["en"]).format(hint=problem.hint) if problem.hint else ""


def _filled(problem: Problem, language: str) -> _Params:
    params = _Params(problem.params)
    if language == "zh" and params.get("kind") in _KINDS:
        params["kind"] = _KINDS[params["kind"]]
    if language == "zh" and params.get("operation") in _OPERATIONS:
        params["operation"] = _OPERATIONS[params["operation"]]
    reason = VALUE_MESSAGES.get(params.get("reason", ""))
    if reason is not None:
        params["reason"] = reason.get(language, reason["en"]).format_map(_Params(problem.params))
    return params


def sources_of(documents: Iterable[Document]) -> dict[str, str]:
    """File name → text, for the excerpts; also `layer:file`, since two layers may have a file of the same name."""
    found: dict[str, str] = {}
    for document in documents:
        found[document.file] = found[f"{document.layer}:{document.file}"] = document.text
    return found


def render_text(
    problems: Sequence[Problem], sources: Mapping[str, str], language: str = "zh", colour: bool = False
) -> str:
    """For a terminal: `file:line:column: severity: sentence [code]`, the line and a caret, related places."""
    return "\n".join(_block(problem, sources, language, colour) for problem in problems)


def _block(problem: Problem, sources: Mapping[str, str], language: str, colour: bool) -> str:
    severity = _SEVERITY.get(language, _SEVERITY["en"])[problem.severity]
    shade = "31" if problem.severity == "error" else "33"
    head = f"{_where(problem.place)}: {_shade(severity, shade, colour)}: {phrase(problem, language)} [{problem.code}]"
    lines = [head, *_excerpt(problem.place, sources, colour)]
    more = advice(problem, language)
    if more:
        lines.append(f"    {more}")
    lines += [f"    {_SEE.get(language, 'see')} {_where(place)}" for place in problem.related]
    return "\n".join(lines)


def _where(place: Place) -> str:
    """A file of a package is named with its package."""
    if place.layer not in _PLAIN_LAYERS and not place.file.startswith(f"{place.layer}/"):
        return f"{place.layer}: {place.file}:{place.line}:{place.column}"
    return f"{place.file}:{place.line}:{place.column}"


def _shade(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _excerpt(place: Place, sources: Mapping[str, str], colour: bool) -> list[str]:
    line = source_line(place, sources)
    if not line.strip():
        return []
    start = max(0, place.column - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[start : start + _WIDEST]
    before = shown[: place.column - 1 - start]
    return [f"    {shown}", "    " + " " * _cells(before) + _shade("^", "1", colour)]


def source_line(place: Place, sources: Mapping[str, str]) -> str:
    """The line a problem stands on, "" where its text is not at hand. Control characters are left out."""
    text = sources.get(f"{place.layer}:{place.file}", sources.get(place.file, ""))
    lines = text.split("\n")
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    return "".join(c if c.isprintable() else " " for c in line.rstrip("\r"))


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese characters take two."""
    return sum(2 if "\u1100" <= c <= "\u115f" or "\u2e80" <= c <= "\uffe6" or c >= "\U0001f300" else 1 for c in text)


def render_json(problems: Sequence[Problem], language: str = "zh") -> list[dict[str, Any]]:
    return [
        {
            "code": problem.code,
            "severity": problem.severity,
            "message": phrase(problem, language),
            "advice": advice(problem, language),
            "hint": problem.hint,
            "params": dict(problem.params),
            **_place_json(problem.place),
            "related": [_place_json(place) for place in problem.related],
        }
        for problem in problems
    ]


def _place_json(place: Place) -> dict[str, Any]:
    return {
        "layer": place.layer,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": list(place.path),
    }


def render_sarif(problems: Sequence[Problem], language: str = "en", version: str = "0.1.0") -> dict[str, Any]:
    """SARIF 2.1.0, as code hosts and editors read it."""
    codes = sorted({problem.code for problem in problems})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "octavo", "version": version, "rules": [{"id": code} for code in codes]}},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(problem, language) for problem in problems],
            }
        ],
    }


def _sarif_result(problem: Problem, language: str) -> dict[str, Any]:
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": phrase(problem, language)},
        "locations": [_sarif_location(problem.place)],
        "relatedLocations": [_sarif_location(place) for place in problem.related],
    }


def _sarif_location(place: Place) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column}
    return {"physicalLocation": {"artifactLocation": {"uri": place.file}, "region": region}}


def render_html(problems: Sequence[Problem], sources: Mapping[str, str], language: str = "zh") -> str:
    """A list as HTML; everything that comes from a document is escaped."""
    return "<ol class='problems'>" + "".join(_html_item(p, sources, language) for p in problems) + "</ol>"


def _html_item(problem: Problem, sources: Mapping[str, str], language: str) -> str:
    def safe(text: str) -> str:
        return html.escape(text, quote=True)

    line = source_line(problem.place, sources)
    excerpt = f"<pre>{safe(line)}</pre>" if line.strip() else ""
    return (
        f"<li class='{problem.severity}'><code>{safe(_where(problem.place))}</code> "
        f"{safe(phrase(problem, language))} <small>{safe(problem.code)}</small>{excerpt}</li>"
    )
