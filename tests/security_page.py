"""docs/security.md: its table says which tests carry which id. `python -m tests.security_page` writes it anew.

What an id means stands here, in one sentence an operator or auditor can check; the tests are found by their marks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- table: python -m tests.security_page -->", "<!-- end of table -->"
_MARK = re.compile(r"mark\.(?:attack|promise)\(([^)]*)\)")
_ID = re.compile(r'"([TNP]\d+)"')

MEANING = {
    "T1": "A change of tables that fails is rolled back as a whole, on SQLite too",
    "T2": "Reading then writing loses nothing on SQLite: writers take the lock first",
    "T3": "Reading then writing loses nothing on PostgreSQL: guarded updates and row locks",
    "T4": "No isolation level that fails without a retry",
    "T5": "SQLite waits for the disk before it acknowledges (synchronous=FULL)",
    "T6": "A killed process loses nothing it acknowledged",
    "T7": "A full disk is an answer of its own, and heals",
    "T8": "A killed worker's job is taken up again: the database holds the truth",
    "T9": "A job that runs twice has its effect once",
    "T10": "A lost Redis loses no job",
    "T11": "Nothing in the queue is a pickle",
    "T12": "Expressions cannot call methods or build huge values",
    "T13": "Whatever is wrong with an expression is one kind of error",
    "T14": "No text of people becomes a template",
    "T15": "YAML without aliases, tags or doubled keys, of bounded depth",
    "T16": "YAML is read by a library newer than its known holes",
    "T17": "Schemas fetch nothing and run in linear time",
    "T18": "JSON is strict: no NaN, no doubled keys, no bottomless nesting",
    "T19": "A session ends on the server when it ends",
    "T20": "A foreign host name is refused",
    "T21": "Bodies, fields and addresses are limited",
    "T22": "Every answer carries the protecting headers",
    "T23": "Swollen workbooks are refused before they are read",
    "T24": "No cell of a CSV is a formula",
    "T25": "A package archive is refused whole, its bad entry named",
    "T26": "Nothing is fetched while a page or file is made",
    "T29": "An unknown login takes as long as a wrong password",
    "N01": "Records of others are not there: not to read, change or delete",
    "N02": "Nobody sets the password of another",
    "N03": "Whatever was refused left no trace in the database",
    "N05": "Every channel asks for the right to delete",
    "N06": "A file is given out with the rights of its record, at once",
    "N07": "A file of another cannot be taken, renamed or removed",
    "N11": "An action on a row respects the row's scope",
    "N12": "Every address is on a list that says who may call it",
    "N13": "Titles of hidden records are masked",
    "N14": "Hidden looks like missing",
    "N15": "A person in no team reaches nothing by team",
    "N16": "A taken value does not tell whose it is",
    "N17": "A role or person taken away counts at once",
    "N18": "No group, pivot or drill-down by a hidden field",
    "N19": "No filter, sort or search by a hidden field",
    "N20": "Passwords, tokens and secrets have no name in any language of the product",
    "N21": "History leaves hidden fields out",
    "N22": "A share gives its row and nothing more",
    "N23": "The description of the API shows what its reader may read",
    "N24": "Secrets are encrypted at rest and in no answer, log, audit or export",
    "N25": "No answer shows SQL or names of tables",
    "N26": "Values of the platform cannot be given",
    "N27": "The same bad value has the same verdict by every way in",
    "N28": "A form takes only what it offers",
    "N29": "A login cannot be imitated",
    "N30": "Addresses of administrators refuse everybody else",
    "N31": "There is no set-up address after the set-up",
    "N32": "There is no second way to sign in",
    "N33": "Equal passwords give different sessions and tokens",
    "N34": "Spelling an address otherwise opens nothing",
    "N35": "Nothing changes by reading",
    "N36": "Sorting and grouping take names of fields alone",
    "N37": "Field lists and parameters take no SQL",
    "N38": "Search takes every text literally",
    "N39": "The filter language refuses what it does not know",
    "N40": "Reports take no SQL",
    "N41": "Names that hold SQL are names",
    "N42": "Names in metadata are safe in every database",
    "N43": "Metadata holds no SQL",
    "N45": "Expressions do not leave their sandbox",
    "N46": "Nothing is evaluated by Python",
    "N47": "Expressions are bounded in time and memory",
    "N48": "Computing does not launder a hidden field",
    "N49": "No dangerous globals: there are no templates of people",
    "N50": "Template library newer than its known holes",
    "N51": "No template of people can run for ever: there are none",
    "N52": "Metadata names no Python",
    "N53": "What was rendered is not rendered again",
    "N54": "Patterns run in linear time",
    "N55": "What a formula returns is text",
    "N56": "Typed markup stays text on every page",
    "N57": "Markup in labels stays text",
    "N58": "Rich text is cleaned",
    "N59": "Foreign HTML is not shown as it is",
    "N60": "Uploads leave as downloads in a sandbox",
    "N61": "A file's name chooses no header and no markup",
    "N62": "An import shows its file as text",
    "N63": "What a stranger sends is shown as text",
    "N64": "Nothing of an address comes back as markup",
    "N65": "No name of a file is a path",
    "N66": "A file is what its content says",
    "N67": "A package archive writes nothing outside and brings no code",
    "N68": "A bad backup is refused and the site stays",
    "N69": "Office files fetch nothing",
    "N70": "Zip bombs are refused soon",
    "N71": "Hurtful YAML is an error with a line",
    "N72": "A pickle in the queue is refused",
    "N73": "No shell, and no setting names a program",
    "N74": "The product opens no address of its own accord",
    "N75": "No redirect is followed: nothing is fetched",
    "N76": "Nothing can be probed through the server",
    "N77": "No document engine loads addresses",
    "N78": "A schema's reference fetches nothing",
    "N79": "Nothing leads away from the site",
    "N80": "Host headers of strangers change nothing",
    "N81": "Tokens are long, random and exact",
    "N83": "There is no reset link: passwords are set by their owner or an administrator",
    "N84": "Posts of strangers are counted by address and in all, whatever a header claims",
    "N85": "A used token of a web form serves once, a forged or aged one not at all",
    "N87": "Every changing page wants the token of its own session",
    "N88": "Sessions are new at sign-in and end with what ends them",
    "N89": "Cookies are out of reach of scripts and other sites",
    "N90": "Guessing is slowed down, without locking the owner out",
    "N91": "A wrong login and a wrong password look alike",
    "N92": "No private answer may be cached, exports and files included",
    "N93": "A weak key does not start; there is no debugger",
    "N94": "Odd input is refused and never an error of the server",
    "N95": "Exports hold no formula, and come back as they were",
    "N96": "Reports count what their reader may read",
    "N97": "An import writes no more than its person may",
    "N98": "Costly requests are refused at once",
    "N99": "Logs are JSON without secrets",
    "N100": "What is under approval cannot be changed around its approval, in no channel",
    "N101": "Nobody approves for another, twice, out of turn or their own submission",
    "N102": "Numbers out of bounds are refused",
    "N103": "A payment is set against one's own, issued bills alone, and no further than they are open",
    "N104": "Of many at once exactly one wins",
    "N105": "Numbers are given once",
    "N107": "Nobody rewrites the audit; tampering names the row",
    "N108": "Server libraries newer than their known holes",
    "N109": "Redis library newer than its known holes",
    "P01": "Acknowledged is durable, under kill -9",
    "P02": "A power cut loses nothing acknowledged (SQLite)",
    "P03": "An operation is done whole or not at all",
    "P04": "A job has its effect exactly once, and is resumed",
    "P05": "Losing Redis is harmless",
    "P06": "Losing PostgreSQL for a while is an answer, then heals",
    "P08": "A full disk corrupts nothing and heals by itself",
    "P09": "A schedule fires once per due local time",
    "P10": "Publishing is atomic, under kill -9",
    "P11": "Of two publishing at once one wins",
    "P12": "Old versions never write wrong columns",
    "P13": "Old and new code serve one database while an upgrade goes round",
    "P14": "Destructive changes lose nothing in silence",
    "P15": "Malformed metadata is an error with its place",
    "P16": "Good rows of an import land, bad ones are told",
    "P17": "A repeated request has its effect once",
    "P18": "The second of two editors is told",
    "P19": "A request has limits: statements of a page, steps of a formula, rules in a ring, seconds of a query",
    "P23": "Many people at once meet no failure (for seconds here; longer by `octavo bench --users`)",
    "P24": "Servers do not grow with the time they run (seconds here; not yet shown for hours)",
    "P20": "A backup taken under load restores",
    "P21": "A changed byte in a file or the database is found",
    "P22": "A stop lets the requests at hand end",
}


def carried() -> dict[str, list[str]]:
    """Per id the test files that carry it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for mark in _MARK.findall(path.read_text(encoding="utf-8")):
            for name in _ID.findall(mark):
                found[name].add(path.relative_to(ROOT / "tests").as_posix())
    return {name: sorted(files) for name, files in found.items()}


def table() -> str:
    rows = ["| id | promised | held by (below `tests/`) |", "| --- | --- | --- |"]
    found = carried()
    for name in sorted(found, key=lambda n: ("TNP".index(n[0]), int(n[1:]))):
        files = ", ".join(f"`{file}`" for file in found[name])
        rows.append(f"| {name} | {MEANING.get(name, '')} | {files} |")
    return "\n".join(rows)


def page(text: str) -> str:
    """The page with its table as the tests are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
