"""web_form: a form for people outside, whose entries become records."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.models.effects import Value
from metadata.texts import Origin, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class WebField:
    """A field people outside fill in; what is None is as the field itself says."""

    field: str
    label: Text | None = None
    help: Text | None = None
    placeholder: Text | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What must be agreed to; `field` holds that it was, `link` leads to the whole text."""

    text: Text
    field: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebForm:
    """`role` is what the form writes with: nobody can sign in as it. `given` are values the form gives by itself.

    `query` maps parameters of the page's address to fields (`utm_source`). `origins` are web sites that may show and
    send the form; `redirect` is the one foreign address it leads to. `per_address` and `in_all` are posts in an hour;
    what is sent sooner than `seconds` after the form was opened is taken for a machine's.
    """

    name: str
    entity: str
    label: Text
    role: str
    help: Text | None = None
    fields: tuple[WebField, ...]
    given: tuple[Value, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    consent: Consent | None = None
    button: Text | None = None
    thanks: Text | None = None
    redirect: str | None = None
    origins: tuple[str, ...] = ()
    per_address: int = 20
    in_all: int = 1_000
    seconds: int = 3
    enabled: bool = True
    origin: Origin
