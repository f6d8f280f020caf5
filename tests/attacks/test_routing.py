"""Every address of the product: who may call it, by which method, and what it answers to everybody else."""

from __future__ import annotations

import re

import pytest
from werkzeug.routing import Rule

from tests.attacks.conftest import Arena

PUBLIC = {  # addresses that answer without signing in, each for a reason
    "home.favicon": "a picture",
    "files.vendor": "built style sheets and scripts",
    "sign_in.page": "where one signs in",
    "sign_in.sign_in": "signing in",
    "sign_in.sign_out": "ends whatever session there is",
    "preferences.change": "language and theme of this browser, kept in cookies",
    "operations.healthz": "the process lives",
    "operations.readyz": "the database serves",
    "operations.metrics": "figures, for calls from this machine",
    "api.nothing": "what is no address: 404 or 405",
    "hooks.hook": "calls from other programs, each with the token of its hook",
    "web_forms.show": "forms for people outside: what they are is declared",
    "web_forms.send": "what people outside fill in, by rules of its own: test_web_forms.py",
    "web_forms.thanks": "what people outside read afterwards",
    "web_forms.embed": "a script without data",
}
SIGNED_IN = {  # one's own account, and pages that show no more than the records one may read
    "home.page", "search.page", "bin.page", "profile.page", "profile.password", "profile.sessions", "profile.end_sessions",
    "profile.new_token", "profile.drop_token", "uploads.give", "reports.show", "lookups.offer", "lookups.offer_any",
    "lists.show", "lists.totals", "queries.ask", "queries.change", "views.columns", "views.ask", "views.save", "views.undo", "views.manage", "views.put_away", "cells.ask", "cells.save",
    "bulk.ask", "bulk.offer", "bulk.act", "bulk.field", "bulk.begin", "bulk.delete_many", "bulk.show", "bulk.cancel", "bulk.undo", "bulk.ask_next", "bulk.plan_next", "palette.show",
    "actions.ask", "actions.run", "actions.card", "view_as.ask", "view_as.change",
    "inbox.act", "inbox.case", "inbox.show", "inbox.versions", "notices.bell", "notices.go",
    "notices.page", "notices.preferences", "notices.read", "notices.snooze", "pools.answer", "pools.assign", "pools.claim",
    "pools.decide", "pools.inbox", "pools.show", "runs.act", "runs.page", "rules.index", "rules.show", "rules.attempt", "rules.blank", "rules.attempt_new",
    "samples.page", "samples.load", "samples.remove",  # each asks for an administrator: tests/web/test_samples.py
    "exporting.give", "importing.start", "importing.take",
    "importing.columns", "importing.run", "importing.template",
    "imports.progress", "imports.cancel", "imports.go", "imports.mean", "imports.undo",
    "record.show", "records.copy", "records.edit", "records.new", "records.save",
    "records.save_new", "records.remove", "records.move", "records.evaluate", "records.bring_back", "related.history",
    "related.related", "timeline.show", "timeline.write", "timeline.undo", "documents.show", "documents.add",
    "documents.drop", "whys.record", "whys.field", "decisions.show",
    "duplicates.check", "duplicates.choose", "duplicates.carry_out", "duplicates.found", "duplicates.search_anew",
    "duplicates.aside", "quick.ask", "quick.save", "lookups.pick", "lookups.resolve",
    "api.openapi", "api.me", "api.reports", "api.report", "api.list_view", "api.import_upload", "api.import_read",
    "api.import_run", "api.import_cancel", "api.import_rejects",
    "api.list", "api.create", "api.batch", "api.read", "api.change", "api.delete",
    "api.actions", "api.action", "api.history", "api.explain",
}  # fmt: skip
ADMIN = {
    "api.metadata_list", "api.metadata_versions", "api.metadata_check", "api.metadata_plan", "api.metadata_publish",
    "api.metadata_rollback", "api.metadata_read", "api.metadata_write",
}  # fmt: skip
EMPTY = {"records.bring_back"}  # many records at once, here none
OWN = {"notices.preferences", "notices.read", "notices.snooze"}  # change what belongs to oneself
READING = {"GET", "HEAD", "OPTIONS"}


def filled(rule: Rule, number: int = 1) -> str:
    """An address of the rule, its variables filled."""
    values = {"entity": "account", "identity": str(number), "kind": "entity", "view": "all", "what": "access"}
    values |= {"action": "delete", "path": "parent", "rest": "x/y/z/w", "record_id": str(number)}
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values.get(m.group(1), "1"), rule.rule)


def calls(arena: Arena) -> list[tuple[str, str, str]]:
    """(method, address, endpoint) of everything that can be called."""
    return [
        (method, filled(rule), rule.endpoint)
        for rule in arena.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.mark.attack("N12")
def test_every_address_is_known_here(arena: Arena) -> None:
    found = {rule.endpoint for rule in arena.app.url_map.iter_rules()}
    assert found - PUBLIC.keys() - SIGNED_IN - ADMIN == set(), "a new address: say here who may call it"


@pytest.mark.attack("N12", "N06", "N23", "N30")
def test_nothing_answers_to_somebody_unknown(arena: Arena) -> None:
    nobody = arena.person(None)
    nobody.page("GET", "/sign-in")
    before = arena.content()
    for method, address, endpoint in calls(arena):
        if endpoint in PUBLIC:
            continue
        for fragment in (False, True):
            answer = nobody.page(method, address, fragment=fragment)
            assert answer.status_code in (303, 400, 401), (method, address, answer.status_code)
            if answer.status_code == 303:
                assert answer.headers["Location"].startswith("/sign-in")
    assert arena.content() == before


@pytest.mark.attack("N12", "N30", "N03")
@pytest.mark.parametrize("who", ["alice", "boss", "nobody", "watcher"])
def test_what_is_for_administrators_refuses_everybody_else(arena: Arena, who: str) -> None:
    person = arena.person(who)
    for method, address, endpoint in calls(arena):
        if endpoint in ADMIN:
            body = {"version": 1} if endpoint == "api.metadata_rollback" else {} if method in ("POST", "PUT") else None
            path = address.removeprefix("/api/v1")
            arena.refused(lambda m=method, p=path, b=body: person.api(m, p, b), 403, 404)


@pytest.mark.attack("N12", "N03")
def test_a_person_without_rights_gets_nothing_from_any_address(arena: Arena) -> None:
    hers = arena.create("alice", name="canary of routing")
    person = arena.person("nobody")
    for rule in arena.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC or rule.endpoint.startswith("profile.") or rule.endpoint in OWN:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            address = filled(rule, hers)
            before = arena.content()
            send = person.api if address.startswith("/api/v1") else person.page
            answer = send(method, address.removeprefix("/api/v1"))
            assert answer.status_code < 500
            assert "canary of routing" not in answer.text
            assert arena.content() == before, (method, address)
            if "<entity>" in rule.rule and rule.endpoint not in EMPTY:
                assert answer.status_code in (400, 401, 403, 404, 405, 415), (method, address, answer.status_code)


@pytest.mark.attack("N35", "N03")
def test_no_address_changes_anything_by_reading(arena: Arena) -> None:
    boss = arena.person("boss")
    number = arena.create("boss", name="stays as it is")
    methods: dict[str, set[str]] = {}
    for rule in arena.app.url_map.iter_rules():
        methods.setdefault(rule.rule, set()).update(rule.methods or ())
    before = arena.content()
    for rule in arena.app.url_map.iter_rules():
        address = filled(rule, number)
        send = boss.api if address.startswith("/api/v1") else boss.page
        for method in ("GET", "HEAD"):
            for more in ({}, {"headers": {"X-HTTP-Method-Override": "DELETE"}}):
                answer = send(method, address.removeprefix("/api/v1"), **more)
                assert answer.status_code < 500, (method, address)
                if "GET" not in methods[rule.rule]:
                    assert answer.status_code in (404, 405), (method, address)
    assert arena.content() == before


@pytest.mark.attack("N87", "N03")
def test_every_changing_page_wants_its_token(arena: Arena) -> None:
    boss, other = arena.person("boss"), arena.person("alice")
    before = arena.content()
    for method, address, endpoint in calls(arena):
        if method in READING or address.startswith("/api/v1") or endpoint in ("hooks.hook", "web_forms.send"):
            continue
        for headers in ({"X-CSRFToken": ""}, {"X-CSRFToken": other.csrf}, {"X-CSRFToken": boss.csrf[:-2]}):
            assert boss.page(method, address, {"name": "forged"}, headers=headers).status_code == 400, address
        crossing = {"Sec-Fetch-Site": "cross-site"}
        assert boss.page(method, address, {"name": "forged"}, headers=crossing).status_code == 403, address
    assert arena.content() == before


@pytest.mark.attack("N92", "T22")
def test_no_answer_may_be_kept_by_anybody_on_the_way(arena: Arena) -> None:
    boss = arena.person("boss")
    number = arena.create("boss", name="private")
    for rule in arena.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint in (
            "files.vendor",
            "home.favicon",
            "operations.metrics",
        ):
            continue
        address = filled(rule, number)
        send = boss.api if address.startswith("/api/v1") else boss.page
        headers = send("GET", address.removeprefix("/api/v1")).headers
        assert "no-store" in headers.get("Cache-Control", ""), address
        assert headers["X-Content-Type-Options"] == "nosniff", address


@pytest.mark.attack("N31", "N32", "N83")
@pytest.mark.parametrize(
    "address",
    ["/setup", "/install", "/init", "/demo", "/register", "/sign-up", "/reset", "/forgot", "/oauth", "/debug", "/console",
     "/admin", "/api/v1/setup", "/api/v1/auth/login", "/api/v1/users/reset", "/?__debugger__=yes&cmd=x"],
)  # fmt: skip
def test_there_is_no_way_in_beside_the_sign_in(arena: Arena, address: str) -> None:
    nobody = arena.person(None)
    nobody.page("GET", "/sign-in")
    for method in ("GET", "POST"):
        answer = arena.refused(lambda m=method: nobody.page(m, address), 303, 400, 401, 404, 405)
        assert answer.status_code != 303 or answer.headers["Location"].startswith("/sign-in")


@pytest.mark.attack("N34")
@pytest.mark.parametrize(
    "tail", ["?x=/sign-in", "?next=/static/vendor/a", ";a=1", "/.", "/..", "%2f", "//", "%00", "?_method=GET"]
)
def test_decorating_an_address_opens_nothing(arena: Arena, tail: str) -> None:
    headers = {"X-Original-URL": "/sign-in", "X-Rewrite-URL": "/healthz", "X-HTTP-Method-Override": "GET"}
    hers = arena.create("alice", name="canary of spelling")
    for who in (None, "bob"):
        person = arena.person(who)
        for base in (f"/e/account/{hers}", f"/api/v1/account/{hers}", "/api/v1/metadata"):
            answer = person.page("GET", base + tail, headers=headers)
            assert answer.status_code in (303, 308, 400, 401, 403, 404), (base + tail, answer.status_code)
            assert "canary of spelling" not in answer.text


@pytest.mark.attack("N14", "N01")
def test_hidden_and_missing_look_the_same_on_pages(arena: Arena) -> None:
    hers = arena.create("alice", name="canary of absence")
    bob = arena.person("bob")
    bob.page("GET", "/")

    def text(answer: object) -> str:
        without = re.sub(r"[0-9a-f]{16}", "", answer.text)  # type: ignore[attr-defined]
        return re.sub(r'content="[^"]+"|value="[^"]+"', "", without).replace(str(hers), "N").replace("987654", "N")

    ways = ("", "/edit", "/copy", "/history", "/related/deals", "/timeline", "/files", "/why", "/why/name")
    for way in ways:
        for fragment in (False, True):
            one = arena.refused(lambda w=way, f=fragment: bob.page("GET", f"/e/account/{hers}{w}", fragment=f), 404)
            missing = bob.page("GET", f"/e/account/987654{way}", fragment=fragment)
            assert (one.status_code, text(one)) == (missing.status_code, text(missing))
    for way in ("/edit", "/delete", "/stage", "/log", "/files", "/files/1/remove", "/undo-change"):
        data = {
            "name": "stolen",
            "stage": "won",
            "field": "stage",
            "to": "won",
            "version": "1",
            "text": "x",
            "audit": "1",
        }
        one = arena.refused(lambda w=way, d=data: bob.page("POST", f"/e/account/{hers}{w}", d), 404)
        missing = bob.page("POST", f"/e/account/987654{way}", data)
        assert (one.status_code, text(one)) == (missing.status_code, text(missing))
