"""Reading the text of an expression before Python's parser sees it: size, nesting, characters, foreign habits.

Everything here is linear in the length of the text, so that hostile text costs nothing.
"""

from __future__ import annotations

import ast
import re

from rules.errors import ExpressionProblem

MAX_LENGTH = 4000
MAX_NESTING = 50
MAX_DEPTH = 120  # of the syntax tree: a chain of operators counts one level each

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<prefix>[A-Za-z]{1,3}(?=['"]))
      | (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<number>(?:\d[\w.]*|\.\d[\w.]*))
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>==|!=|<=|>=|//|\*\*|&&|\|\||<>|:=|[-+*/%<>=()\[\]{},.!&|^~@?:;\#`$\\])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"\d+(_\d+)*(\.\d+(_\d+)*)?\Z")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_HABITS = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "<>": "!=",
    "=": "==",
    "true": "True",
    "false": "False",
    "null": "None",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "&": "and",
    "|": "or",
    "?": "a if condition else b",
    "**": "*",
}
_REFUSED = frozenset({"**", "@", "~", "^", ":=", ":", ";", "#", "`", "$", "\\", "[", "]", "{", "}"})
_WIDE = {
    "（": "(",
    "）": ")",
    "，": ",",
    "＝": "==",
    "＞": ">",
    "＜": "<",
    "＋": "+",
    "－": "-",
    "×": "*",
    "＊": "*",
    "÷": "/",
    "／": "/",
    "％": "%",
    "。": ".",
    "．": ".",
    "、": ",",
    "！": "not",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "＂": '"',
    "＇": "'",
    "；": ",",
    "：": ":",
    "｜": "or",
    "＆": "and",
    "　": " ",
}


def problem(code: str, start: int, end: int, hint: str | None = None, **params: str) -> ExpressionProblem:
    return ExpressionProblem(code=code, start=start, end=end, hint=hint, params=params)


def scan(text: str) -> list[ExpressionProblem]:
    """What is wrong with the text as text; an empty list where Python's parser may see it."""
    if not text.strip():
        return [problem("empty", 0, len(text))]
    if len(text) > MAX_LENGTH:
        return [problem("too_long", 0, len(text), limit=str(MAX_LENGTH), length=str(len(text)))]
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[ExpressionProblem] = []
        self.open: list[tuple[str, int]] = []
        self.prefixes = 0  # unary operators and `not` in a row
        self.branches = 0
        self.after_text = False

    def run(self) -> list[ExpressionProblem]:
        for match in _TOKEN.finditer(self.text):
            kind = match.lastgroup or "other"
            if kind == "space":
                continue
            word, start = match.group(), match.start()
            getattr(self, f"_{kind}")(word, start)
            self.after_text = kind == "text"
            if self.problems and self.problems[-1].code == "too_deep":
                return self.problems
        self.problems += [problem("unclosed", at, at + 1, bracket=bracket) for bracket, at in self.open]
        return self.problems

    def _add(self, code: str, start: int, word: str, hint: str | None = None, **params: str) -> None:
        self.problems.append(problem(code, start, start + len(word), hint, found=word, **params))

    def _prefix(self, word: str, start: int) -> None:
        if word in ("in", "is", "or", "and", "not", "if"):
            self._name(word, start)
        else:
            self._add("not_allowed", start, word)

    def _text(self, word: str, start: int) -> None:
        self._plain()
        if self.after_text:
            self._add("text_joined", start, word, "+")
        for escape in _ESCAPE.finditer(word):
            if escape.group(1) not in "\\'\"nt":
                self._add("bad_escape", start + escape.start(), escape.group())
        if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in word):
            self._add("bad_character", start, word)

    def _number(self, word: str, start: int) -> None:
        self._plain()
        if not _NUMBER.match(word):
            self._add("bad_number", start, word)
            return
        whole, _, part = word.replace("_", "").partition(".")
        if len(whole.lstrip("0")) > 16 or len(part) > 10 or (not part and int(whole) > 2**53 - 1):
            self._add("number_too_large", start, word)
        elif len(whole) > 1 and whole.startswith("0"):
            self._add("bad_number", start, word, whole.lstrip("0") or "0")

    def _name(self, word: str, start: int) -> None:
        if word == "not":
            self._deeper(start, word)
            return
        self._plain()
        if word in _HABITS:
            self._add("habit", start, word, _HABITS[word])
        elif word == "if":
            self.branches += 1
            if self.branches > MAX_NESTING:
                self._add("too_deep", start, word, limit=str(MAX_NESTING))
        elif not word.isascii():
            self._add("bad_name", start, word)

    def _operator(self, word: str, start: int) -> None:
        if word in "([{":
            self.open.append((word, start))
            if len(self.open) > MAX_NESTING:
                self._add("too_deep", start, word, limit=str(MAX_NESTING))
        elif word in ")]}":
            if not self.open:
                self._add("unopened", start, word)
            else:
                self.open.pop()
        if word in _REFUSED:
            self._add("not_allowed", start, word, _HABITS.get(word))
        elif word in _HABITS and not (word == "=" and self._keyword(start)):
            self._add("habit", start, word, _HABITS[word])
        if word in "+-":
            self._deeper(start, word)
        else:
            self._plain()

    def _keyword(self, start: int) -> bool:
        """Whether the `=` at `start` follows `by` or `where`, the two arguments that may be named."""
        return re.search(r"\b(by|where)\s*\Z", self.text[:start][-40:]) is not None

    def _other(self, word: str, start: int) -> None:
        if word in _WIDE:
            self._add("wide", start, word, _WIDE[word])
        elif word in "'\"":
            self._add("unclosed", start, word, bracket=word)
        else:
            self._add("bad_character", start, word)

    def _deeper(self, start: int, word: str) -> None:
        self.prefixes += 1
        if self.prefixes > MAX_NESTING:
            self._add("too_deep", start, word, limit=str(MAX_NESTING))

    def _plain(self) -> None:
        self.prefixes = 0


def syntax(text: str) -> tuple[ast.expr | None, list[ExpressionProblem]]:
    """Python's syntax tree of the text. `offsets(text)` turns its columns into character offsets."""
    flat = "(" + re.sub(r"[\r\n\t\f\v]", " ", text) + ")"
    try:
        tree = ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        at = max(0, min(len(text), (error.offset or 1) - 2))
        return None, [problem("syntax", at, min(len(text), at + 1), detail=error.msg or "")]
    except (ValueError, RecursionError, MemoryError):
        return None, [problem("syntax", 0, len(text), detail="")]
    if _depth(tree) > MAX_DEPTH:
        return None, [problem("too_deep", 0, len(text), found="", limit=str(MAX_DEPTH))]
    return tree, []


def _depth(tree: ast.AST) -> int:
    """Levels of the tree, counted without recursion."""
    level, deepest = [tree], 0
    while level:
        deepest += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return deepest


class Offsets:
    """Character offsets of syntax nodes in the original text (Python counts UTF-8 bytes, and we added a bracket)."""

    def __init__(self, text: str) -> None:
        self._chars: list[int] | None = None
        self._length = len(text)
        if not text.isascii():
            self._chars = [i for i, c in enumerate(text) for _ in c.encode("utf-8", "surrogatepass")] + [len(text)]

    def span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        return self._at(node.col_offset - 1), self._at((node.end_col_offset or node.col_offset) - 1)

    def _at(self, offset: int) -> int:
        if self._chars is None:
            return max(0, min(self._length, offset))
        return self._chars[max(0, min(len(self._chars) - 1, offset))]
