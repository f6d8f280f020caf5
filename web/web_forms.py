"""`/f/<name>`: forms for people outside, on a page of their own or within the web sites they name.

These pages know nobody: no cookie is read for rights and none is set, so there is nothing another site could borrow.
What takes the place of the form token of other pages is said in `runtime.web_forms`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from metadata.models.web_form import WebForm
from runtime import web_forms
from runtime.errors import Answer, Forbidden, RecordProblem, Refused, TooBig, TooManyRequests, WrongMedia
from runtime.messages import say, say_answer, say_problem
from runtime.site import Session
from runtime.views.web_forms import fields_of, inputs, typed
from web import guard
from web.i18n import LANGUAGES
from web.state import state, web

EMBED = Path(__file__).with_name("embed.js")
THEMES = ("auto", "light", "dark")
MOST_PARAMETER = 200  # characters of a parameter that are kept

blueprint = Blueprint("web_forms", __name__)


@blueprint.get("/f/<name>")
def show(name: str) -> Response:
    """The form, empty but for what the address gives."""
    with _opened(name) as (session, form):
        given = {field: request.args[key][:MOST_PARAMETER] for key, field in form.query if key in request.args}
        return _page(session, form, {}, given, {}, "")


@blueprint.post("/f/<name>")
def send(name: str) -> Response:
    """Takes what was filled in. What is refused comes back with everything that was typed."""
    _check_body()
    with _opened(name) as (session, form):
        _check_origin(form)
        given = typed(form, fields_of(web_forms.guest_of(session, form), form), request.form.to_dict(flat=False))
    try:
        _count(form)
        with web().site.session(write=True, language=state().language, request_id=state().request_id) as session:
            web_forms.receive(session, web_forms.form_of(session, name), given, str(given.get(web_forms.TOKEN) or ""))
    except TooManyRequests as answer:
        minutes = -(-int(answer.params.get("seconds", "60")) // 60)
        response = _again(name, given, {}, say("web_form.often", state().language, minutes=minutes), 429)
        response.headers["Retry-After"] = answer.params.get("seconds", "60")
        return response
    except Refused as answer:
        return _again(name, given, _said(answer.problems), _whole(answer), 422)
    return _done(form)


@blueprint.get("/f/<name>/thanks")
def thanks(name: str) -> Response:
    with _opened(name) as (session, form):
        said = form.thanks.of(session.language) if form.thanks else ""
        return _framed(form, render_template("web_forms/thanks.html", form=form, said=said, **_looks(form)))


@blueprint.get("/f/<name>/embed.js")
def embed(name: str) -> Response:
    """The script by which a web site shows the form where the script stands."""
    with _opened(name):
        response = make_response(EMBED.read_text("utf-8"))
    response.headers["Content-Type"] = "text/javascript; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


# --- the request -----------------------------------------------------------------------------------------------------


@contextmanager
def _opened(name: str) -> Iterator[tuple[Session, WebForm]]:
    """A reading session in the language of the visitor, and the form. Raises `NotFound`."""
    _choose_language()
    with web().site.session(language=state().language) as session:
        yield session, web_forms.form_of(session, name)


def _choose_language() -> None:
    """What the address says, else what the browser asks for; a person who works here may have chosen another."""
    now = state()
    given = request.values.get("__lang") or request.args.get("lang") or ""
    asked = request.accept_languages.best_match(["zh", "en"]) if request.accept_languages else None
    if given in LANGUAGES:
        now.language = given
    elif now.chosen_language is None and asked is not None:
        now.language = asked


def _check_body() -> None:
    """Raises `TooBig`, `WrongMedia`: plain forms only, and small ones."""
    request.max_content_length = web_forms.MOST_BYTES
    if (request.content_length or 0) > web_forms.MOST_BYTES:
        raise TooBig()
    if request.mimetype != "application/x-www-form-urlencoded":
        raise WrongMedia()
    if len(request.get_data(cache=True)) > web_forms.MOST_BYTES:
        raise TooBig()


def _check_origin(form: WebForm) -> None:
    """Raises `Forbidden` where a page of another site sent the form than those it names."""
    origin = request.headers.get("Origin")
    if origin is None and request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none"):
        return
    own = (request.host_url.rstrip("/"), "://".join(urlsplit(web().site.settings.base_url)[:2]))
    if origin not in (*own, *form.origins):
        raise Forbidden("web_form.origin")


def _count(form: WebForm) -> None:
    with web().site.session(write=True) as session:
        web_forms.count(session, form, request.remote_addr or "")


# --- the answer ------------------------------------------------------------------------------------------------------


def _done(form: WebForm) -> Response:
    """On to the page of thanks, or to the one address the form declares: never to one that was sent."""
    if form.redirect and not _embedded():
        return make_response(redirect(form.redirect, 303))
    address = url_for("web_forms.thanks", name=form.name) + "?" + urlencode(_query())
    return make_response(redirect(address, 303))


def _again(name: str, given: Mapping[str, Any], problems: dict[str, list[str]], said: str, status: int) -> Response:
    with _opened(name) as (session, form):
        response = _page(session, form, given, given, problems, said)
    response.status_code = status
    return response


def _page(
    session: Session,
    form: WebForm,
    values: Mapping[str, Any],
    given: Mapping[str, Any],
    problems: dict[str, list[str]],
    said: str,
) -> Response:
    fields = fields_of(web_forms.guest_of(session, form), form)
    language = session.language
    agreed = (form.consent.field or web_forms.AGREED) if form.consent else ""
    made = inputs(form, fields, values, problems)
    shown = {one.name for one in made} | {agreed}
    token = str(values.get(web_forms.TOKEN) or "")
    usable = web_forms.judge(session, form, token)[0] in ("right", "early")
    html = render_template(
        "web_forms/form.html",
        form=form,
        title=form.label.of(language),
        intro=form.help.of(language) if form.help else "",
        button=form.button.of(language) if form.button else "",
        consent=form.consent.text.of(language) if form.consent else "",
        inputs=made,
        agreed=agreed,
        agree_problems=problems.get(agreed, []),
        is_agreed=values.get(agreed) == "true",
        hidden=[(field, given[field]) for _, field in form.query if given.get(field)],
        own=[("__" + key, value) for key, value in _query().items()],
        token=token if usable else web_forms.new_token(session, form),
        trap=web_forms.trap_of(form),
        said=said,
        problems=[text for key, texts in problems.items() if key not in shown for text in texts],
        currency=session.site.settings.currency,
        **_looks(form),
    )
    return _framed(form, html)


def _framed(form: WebForm, html: str) -> Response:
    """The page, open to the web sites the form names; browsers hold its policy against where its answer leads, too."""
    guard.open_to(form.origins, "://".join(urlsplit(form.redirect)[:2]) if form.redirect else "")
    return make_response(html)


def _looks(form: WebForm) -> dict[str, Any]:
    leads = form.redirect if form.redirect and _embedded() else ""
    return {"theme": _theme(), "embedded": _embedded(), "leads": leads}


def _embedded() -> bool:
    return "1" in (request.args.get("embed"), request.form.get("__embed"))


def _query() -> dict[str, str]:
    """What the page keeps of its address."""
    found = {"lang": state().language, "theme": _theme()}
    return {**found, **({"embed": "1"} if _embedded() else {})}


def _theme() -> str:
    wanted = request.values.get("__theme") or request.args.get("theme") or "auto"
    return wanted if wanted in THEMES else "auto"


def _whole(answer: Answer) -> str:
    """The sentence above the form: none where only fields are wrong."""
    return "" if answer.code == "refused" else say_answer(answer, state().language)


def _said(problems: list[RecordProblem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in problems:
        found.setdefault(problem.field or "", []).append(say_problem(problem, state().language))
    return found
