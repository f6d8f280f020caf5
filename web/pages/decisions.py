"""Why a record is as it is: what each kind of rule decided on it, and who may do what with it."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from metadata.kinds import KINDS
from metadata.kinds.role import GrantShape
from metadata.model import Entity
from runtime import explain, records
from runtime.errors import NotFound
from runtime.number_whys import visible_numbering
from runtime.security.rights import OPERATIONS
from runtime.site import Session
from runtime.views.binder import Binder
from runtime.views.records import title_of
from web.i18n import _
from web.pages.records import title_fields
from web.state import reading

blueprint = Blueprint("decisions", __name__)
ACCESS = "access"


@blueprint.get("/e/<entity>/<int:record_id>/decisions")
def show(entity: str, record_id: int) -> Response:
    """One answer at a time, as the API gives it: `of` is `access` or a kind of rule that decides on such records."""
    session = reading()
    binder = Binder(session)
    described = binder.entity(entity, alone=False)
    record = records.read(session, entity, record_id, fields=[*title_fields(binder, entity), "id"])
    words = _words(session, described)
    wanted = request.args.get("of") or (words[0] if words else ACCESS)
    if wanted not in (*words, ACCESS):
        raise NotFound
    page = render_template(
        "decisions/page.html",
        entity=entity,
        id=record_id,
        list_label=described.plural.of(session.language),
        words={name: _operation(name, session.language) for name in OPERATIONS},
        title=title_of(binder, entity, record),
        wanted=wanted,
        declared=session.user.admin and wanted in KINDS,
        tabs=[*((word, _label(word, session.language)) for word in words), (ACCESS, str(_("Access")))],
        found=explain.why(session, entity, record_id, wanted),
    )
    return make_response(page)


def _words(session: Session, entity: Entity) -> list[str]:
    """The kinds that decide on records of the entity."""
    app = session.app
    special = {"versions": entity.revisions is not None, "ledger": entity.ledger or entity.balances_of}
    priced = {p.entity for p in app.of("pricing").values()}
    priced |= {parent[0] for name in priced if (parent := app.entities[name].parent) is not None}
    special["pricing"] = entity.name in priced
    special["numbering"] = visible_numbering(session, entity) is not None
    return [word for word in explain.explainers() if special.get(word) or app.rules_of(entity.name, word)]


def _operation(name: str, language: str) -> str:
    found = getattr(GrantShape, f"{name}_" if name == "import" else name)
    text: str = found.zh if language == "zh" else found.en
    return text


def _label(word: str, language: str) -> str:
    if word in KINDS:
        return KINDS[word].called[language]
    return str(_("Versions") if word == "versions" else _("Balance"))
