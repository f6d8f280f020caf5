"""One's own account: password, open sessions, tokens of the API."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request

from metadata.fields import field_type
from runtime.security import sessions
from runtime.security.tokens import create_token
from runtime.views.account import end_token, open_sessions, open_tokens
from runtime.views.binder import Binder
from web.i18n import _
from web.notes import note
from web.state import end_reading, reading, state, web, writing

blueprint = Blueprint("profile", __name__)
LEAST_PASSWORD = 8


@blueprint.get("/profile")
def page() -> Response:
    return _page()


def _page(*, problem: str = "", token: str = "", status: int = 200) -> Response:
    session = reading()
    binder = Binder(session)
    moment = field_type("datetime")
    described = binder.app.entities["user"].fields["created_at"]
    coercion = binder.coercion()
    return make_response(
        render_template(
            "account/profile.html",
            user=session.user,
            sessions=open_sessions(session, state().token),
            tokens=open_tokens(session),
            when=lambda at: moment.to_text(at, described, coercion),
            problem=problem,
            token=token,
        ),
        status,
    )


@blueprint.post("/profile/password")
def password() -> Response:
    """Changes the password; every other session of the person ends."""
    reading()
    end_reading()
    now, new, again = (request.form.get(name, "")[:1000] for name in ("now", "new", "again"))
    user_id = state().user_id
    assert user_id is not None
    if not sessions.check_password(web().site, user_id, now):
        return _page(problem=_("The present password is not right."), status=422)
    if len(new) < LEAST_PASSWORD:
        return _page(problem=_("The new password needs at least {n} characters.", n=LEAST_PASSWORD), status=422)
    if new != again:
        return _page(problem=_("The two new passwords differ."), status=422)
    with writing() as session:
        sessions.set_password(session, user_id, new, but=state().token)
    note(_("The password is changed; other sessions have ended."))
    return _back()


@blueprint.post("/profile/sessions")
def end_sessions() -> Response:
    """Ends every session but the present one."""
    with writing() as session:
        assert session.user.id is not None
        sessions.revoke_all(session, session.user.id, but=state().token)
    note(_("All other sessions have ended."))
    return _back()


@blueprint.post("/profile/tokens")
def new_token() -> Response:
    """A token for the API; its text is shown this once."""
    name = request.form.get("name", "").strip()[:100]
    if not name:
        return _page(problem=_("Give the token a name."), status=422)
    with writing() as session:
        assert session.user.id is not None
        token = create_token(session, session.user.id, name)
    return _page(token=token)


@blueprint.post("/profile/tokens/<int:token_id>/end")
def drop_token(token_id: int) -> Response:
    with writing() as session:
        end_token(session, token_id)
    note(_("The token is revoked."))
    return _back()


def _back() -> Response:
    return make_response(redirect("/profile", 303))
