"""The rules and forms of a site as an administrator finds them: by kind, what each is about, where it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.kinds import KINDS
from runtime.errors import Forbidden
from runtime.publishing import drafts
from runtime.publishing.layers import SITE
from runtime.publishing.publish import current_layers
from runtime.trials import WORDS

if TYPE_CHECKING:
    from runtime.site import Session

SHOWN = (*WORDS, "web_form")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """`place` is where it is declared; `own`: the site has changed or declared it."""

    word: str
    name: str
    label: str
    help: str
    entity: str
    place: str
    own: bool
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    word: str
    label: str
    rows: tuple[RuleRow, ...]


def called(session: Session, word: str) -> str:
    """What a kind of rule is called."""
    names = KINDS[word].called
    return names.get(session.language, names["en"])


def groups(session: Session) -> list[RuleGroup]:
    """Every kind that has rules, each with its rules by name. Raises `Forbidden` for others than administrators."""
    if not session.user.admin:
        raise Forbidden()
    own = {(d["kind"], d["name"]) for d in drafts.documents(current_layers(session.site)) if d["layer"] == SITE}
    found = []
    for word in SHOWN:
        rows = tuple(row_of(session, word, rule, own) for _, rule in sorted(session.app.of(word).items()))
        if rows:
            found.append(RuleGroup(word=word, label=called(session, word), rows=rows))
    return found


def row_of(session: Session, word: str, rule: Any, own: Any = ()) -> RuleRow:
    entity = session.app.entities.get(rule.entity or "")
    said = getattr(rule, "help", None)
    return RuleRow(
        word=word,
        name=rule.name,
        label=rule.label.of(session.language),
        help=said.of(session.language) if said else "",
        entity=entity.label.of(session.language) if entity else "",
        place=f"{rule.origin.file}:{rule.origin.line}",
        own=(word, rule.name) in own,
        enabled=getattr(rule, "enabled", True),
    )


def sources(session: Session, word: str, name: str) -> list[dict[str, Any]]:
    """The documents that make up a rule, lowest layer first."""
    return drafts.sources(current_layers(session.site), word, name)


def draft_of(session: Session, word: str, name: str) -> str:
    """What a draft begins with: the draft that is kept, the site's own document, or the first line of one."""
    kept = next((d.text for d in drafts.drafts(session) if (d.kind, d.name) == (word, name)), None)
    own = next((s["text"] for s in sources(session, word, name) if s["layer"] == SITE), None)
    return (kept or own or f"extend: {{{word}: {name}}}\n").strip() + "\n"
