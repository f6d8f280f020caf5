"""Mutations of metadata texts: what a tired person, a bad merge or an attacker may leave behind."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Mutator = Callable[[str, random.Random], str | bytes]

_WORD = re.compile(r"[a-z_]{2,}")
_VALUES = ["null", "true", "[]", "{}", "[1, 2]", "{a: b}", "12:30", "-5", "1e400", ".nan", '""', "'", '"', "9" * 40, "*x", "&x y",
           "!!python/object/apply:os.system [ls]", "=", "- a", "|", ">", "''", "0x7f", "<b onclick='x'>", "a.b.c", "x; drop table"]  # fmt: skip
_NAMES = [
    "user",
    "this",
    "None",
    "class",
    "id",
    "__init__",
    "Name",
    "a" * 64,
    "名称",
    "😀",
    "metadata",
    "x'); --",
    "",
    "customer",
]


def _lines(text: str) -> list[str]:
    return text.split("\n")


def drop_line(text: str, r: random.Random) -> str:
    lines = _lines(text)
    del lines[r.randrange(len(lines))]
    return "\n".join(lines)


def drop_word(text: str, r: random.Random) -> str:
    found = list(_WORD.finditer(text))
    hit = r.choice(found)
    return text[: hit.start()] + text[hit.end() :]


def double_line(text: str, r: random.Random) -> str:
    lines = _lines(text)
    at = r.randrange(len(lines))
    return "\n".join([*lines[: at + 1], *lines[at:]])


def swap_lines(text: str, r: random.Random) -> str:
    lines = _lines(text)
    a, b = r.randrange(len(lines)), r.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def rename_word(text: str, r: random.Random) -> str:
    hit = r.choice(list(_WORD.finditer(text)))
    return text[: hit.start()] + r.choice(_NAMES) + text[hit.end() :]


def misspell(text: str, r: random.Random) -> str:
    hit = r.choice(list(_WORD.finditer(text)))
    at = r.randrange(hit.start(), hit.end())
    return text[:at] + r.choice("abcxyz_") + text[at + 1 :]


def exchange_words(text: str, r: random.Random) -> str:
    found = list(_WORD.finditer(text))
    a, b = r.choice(found), r.choice(found)
    return text[: a.start()] + b[0] + text[a.end() :]


def retype(text: str, r: random.Random) -> str:
    """The value of a key becomes something else."""
    found = list(re.finditer(r":[ ]+([^,{}\n\[\]]+)", text))
    if not found:
        return text + ": " + r.choice(_VALUES)
    hit = r.choice(found)
    return text[: hit.start(1)] + r.choice(_VALUES) + text[hit.end(1) :]


def indent(text: str, r: random.Random) -> str:
    lines = _lines(text)
    at = r.randrange(len(lines))
    lines[at] = r.choice([" ", "   ", "\t", " \t"]) + lines[at]
    return "\n".join(lines)


def outdent(text: str, r: random.Random) -> str:
    lines = _lines(text)
    at = r.randrange(len(lines))
    lines[at] = lines[at][1:]
    return "\n".join(lines)


def unbalance(text: str, r: random.Random) -> str:
    at = r.randrange(len(text))
    return text[:at] + r.choice("{}[]\"':,#&*!|>%@`-?=\\()") + text[at:]


def cut(text: str, r: random.Random) -> str:
    return text[: r.randrange(len(text))]


def tag(text: str, r: random.Random) -> str:
    return re.sub(r": ", ": !!python/name:os.system ", text, count=1)


def alias(text: str, r: random.Random) -> str:
    return text + "\nx: &a [b]\ny: *a\n<<: *a\n"


def bomb(text: str, r: random.Random) -> str:
    rows = "\n".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 9)}]" for i in range(1, 9))
    return f"{text}\nk0: &k0 [x]\n{rows}\n"


def nest(text: str, r: random.Random) -> str:
    return text + "\ndeep: " + r.choice(["[", "{a: "]) * r.choice([49, 60, 5_000, 100_000])


def huge(text: str, r: random.Random) -> str:
    return text + "\nhelp: " + "长" * r.choice([3_000, 100_000, 400_000])


def big_number(text: str, r: random.Random) -> str:
    return re.sub(r"\b\d+\b", "9" * r.choice([19, 400, 5_000]), text, count=1) + "\npage_size: " + "8" * 5_000


def double_key(text: str, r: random.Random) -> str:
    return text + "\n" + r.choice(_lines(text.strip()))


def wide_letters(text: str, r: random.Random) -> str:
    """What a Chinese input method makes of brackets, commas and colons."""
    pairs = {":": "：", ",": "，", "(": "（", ")": "）", "'": "’", '"': "”", "=": "＝"}
    found = [i for i, c in enumerate(text) if c in pairs]
    at = r.choice(found)
    return text[:at] + pairs[text[at]] + text[at + 1 :]


def cycle(text: str, r: random.Random) -> str:
    return re.sub(
        r"^fields:\n",
        'fields:\n  aa: {type: integer, formula: "bb + 1"}\n  bb: {type: integer, formula: "aa"}\n',
        text,
        flags=re.M,
    )


def self_reference(text: str, r: random.Random) -> str:
    return re.sub(r"to: \w+", "to: nowhere_at_all", text, count=1) + "\nincludes: [admin]\ntree: parent\n"


def gbk(text: str, r: random.Random) -> bytes:
    return (text + "\n# 客户").encode("gb18030", "replace")


def utf16(text: str, r: random.Random) -> bytes:
    return text.encode("utf-16")


def bom(text: str, r: random.Random) -> bytes:
    return b"\xef\xbb\xbf" + text.encode()


def flip(text: str, r: random.Random) -> bytes:
    raw = bytearray(text.encode())
    for _ in range(r.randrange(1, 4)):
        raw[r.randrange(len(raw))] = r.randrange(256)
    return bytes(raw)


def crlf(text: str, r: random.Random) -> str:
    return misspell(text, r).replace("\n", "\r\n")


def nul(text: str, r: random.Random) -> str:
    at = r.randrange(len(text))
    return text[:at] + r.choice(["\x00", "\x1b", "\u2028", "\ufeff", "\x85", "\u202e"]) + text[at:]


def markers(text: str, r: random.Random) -> str:
    lines = _lines(text)
    lines.insert(r.randrange(len(lines)), r.choice(["---", "...", "%YAML 1.1", "--- !x", "? a", "- "]))
    return "\n".join(lines)


MUTATORS: tuple[Mutator, ...] = (
    drop_line, drop_word, double_line, swap_lines, rename_word, misspell, exchange_words, retype, retype, indent,
    outdent, unbalance, unbalance, cut, tag, alias, bomb, nest, huge, big_number, double_key, wide_letters, cycle,
    self_reference, gbk, utf16, bom, flip, crlf, nul, markers,
)  # fmt: skip


def mutant(text: str, number: int) -> tuple[str, str | bytes]:
    """The name of the mutation and the mutated text; the same for the same number."""
    r = random.Random(number)
    mutate = MUTATORS[number % len(MUTATORS)]
    return mutate.__name__, mutate(text, r)
