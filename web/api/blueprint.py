"""The blueprint of the HTTP API: the list of its calls, and how every refusal leaves as a problem document."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.exceptions import NotFound as NoSuchAddress

from runtime.errors import Answer
from runtime.messages import say
from runtime.site import Site
from web.api import context
from web.api.problem import document, of_answer, of_status, respond
from web.late import Late

PREFIX = "/api/v1"
_log = logging.getLogger("octavo.api")

# method, address, name, function in `web.api`, imported at its first call. Names that are no entities come first;
# entity names may not be any of them.
ROUTES: tuple[tuple[str, str, str, str], ...] = (
    ("GET", "/openapi.json", "openapi", "openapi.endpoint.openapi"),
    ("GET", "/me", "me", "me.me"),
    ("GET", "/reports", "reports", "reports.list_reports"),
    ("GET", "/reports/<name>", "report", "reports.run_report"),
    ("GET", "/lists/<entity>/<view>", "list_view", "reports.list_view"),
    ("POST", "/imports", "import_upload", "imports.upload"),
    ("GET", "/imports/<identity>", "import_read", "imports.read"),
    ("POST", "/imports/<identity>/run", "import_run", "imports.run"),
    ("POST", "/imports/<identity>/cancel", "import_cancel", "imports.cancel"),
    ("GET", "/imports/<identity>/rejects", "import_rejects", "imports.rejects"),
    ("GET", "/metadata", "metadata_list", "metadata.list_documents"),
    ("GET", "/metadata/versions", "metadata_versions", "metadata.list_versions"),
    ("POST", "/metadata/check", "metadata_check", "metadata.check"),
    ("POST", "/metadata/plan", "metadata_plan", "metadata.plan"),
    ("POST", "/metadata/publish", "metadata_publish", "metadata.publish"),
    ("POST", "/metadata/rollback", "metadata_rollback", "metadata.rollback"),
    ("GET", "/metadata/<kind>/<name>", "metadata_read", "metadata.read"),
    ("PUT", "/metadata/<kind>/<name>", "metadata_write", "metadata.write"),
    ("GET", "/<entity>", "list", "records.list_records"),
    ("POST", "/<entity>", "create", "records.create_record"),
    ("POST", "/<entity>/batch", "batch", "batch.batch"),
    ("GET", "/<entity>/<identity>", "read", "records.read_record"),
    ("PATCH", "/<entity>/<identity>", "change", "records.change_record"),
    ("DELETE", "/<entity>/<identity>", "delete", "records.delete_record"),
    ("GET", "/<entity>/<identity>/actions", "actions", "actions.list_actions"),
    ("POST", "/<entity>/<identity>/actions/<action>", "action", "actions.run_action"),
    ("GET", "/<entity>/<identity>/history", "history", "history.record_history"),
    ("GET", "/<entity>/<identity>/explain/<what>", "explain", "history.explain_record"),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def create_api(site: Site) -> Blueprint:
    """The API of a site, to be registered under `/api/v1`. Needs no CSRF token: a cookie alone changes nothing."""
    api = Blueprint("api", __name__)
    for method, address, name, function in ROUTES:
        module, _, view = function.rpartition(".")
        api.add_url_rule(address, name, Late(f"web.api.{module}", view), methods=[method])
    api.add_url_rule("/", "nothing", nothing_there, methods=METHODS, defaults={"rest": ""})
    api.add_url_rule("/<path:rest>", "nothing", nothing_there, methods=METHODS)
    api.before_request(_signed_in)
    api.register_error_handler(Answer, _answer)
    api.register_error_handler(HTTPException, _refusal)
    api.register_error_handler(Exception, _bug)
    api.record_once(lambda state: _prepare(state, site))
    return api


def _prepare(state: BlueprintSetupState, site: Site) -> None:
    app = state.app
    app.extensions[context.EXTENSION] = site
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def _signed_in() -> None:
    """Every call knows its caller before it looks at anything else; none can forget to ask."""
    if request.endpoint != "api.nothing":
        context.caller()


def nothing_there(rest: str) -> Response:
    """An address the API does not know: 404; or one it knows with another method: 405."""
    adapter = current_app.create_url_adapter(request)
    allowed = []
    for method in METHODS:
        try:
            rule, _ = adapter.match(method=method, return_rule=True)  # type: ignore[union-attr]
        except HTTPException:
            continue
        if rule.endpoint != "api.nothing":
            allowed.append(method)
    if allowed:
        raise MethodNotAllowed(valid_methods=allowed)
    raise NoSuchAddress


def _answer(answer: Answer) -> Response:
    return of_answer(answer, context.language())


def _refusal(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect to the canonical address
        return error.get_response()  # type: ignore[return-value]
    headers = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
    if status == 401 or status == 404:
        return of_status(status, context.language())
    return of_status(status, context.language(), **headers)


def _bug(error: Exception) -> Response:
    """A bug: the log knows it by the number, the caller learns the number alone."""
    number = context.request_id()
    _log.error("request %s: %s %s failed", number, request.method, request.path, exc_info=error)
    language = context.language()
    return respond(document("internal", 500, say("internal", language, request_id=number), language))
