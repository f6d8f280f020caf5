"""The form of a record in force goes on from the draft that was begun, and can take a change back again."""

from __future__ import annotations

import re

from runtime.security.sessions import set_password
from tests.approvals.test_revisions import in_force, states
from tests.approvals.world import World
from tests.web.conftest import PASSWORD, Browser
from web.app import create_app


def browser(world: World, login: str) -> Browser:
    with world.site.session(write=True) as session:
        set_password(session, world.people[login], PASSWORD)
    found = Browser(create_app(world.site, testing=True).test_client())
    assert found.sign_in(login).status_code == 303
    return found


def typed(page: str) -> dict[str, str]:
    """What the form would send as it stands."""
    found = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page))
    return {name: value for name, value in found.items() if name not in ("csrf_token", "q")}


def test_the_form_of_a_record_in_force_starts_from_its_draft(local: World) -> None:
    pact = in_force(local)
    ann = browser(local, "ann")
    plain = ann.get(f"/e/pact/{pact}/edit").text
    assert 'name="draft"' not in plain
    first = typed(plain)
    assert first["amount"].startswith("100")
    assert ann.post(f"/e/pact/{pact}/edit", {**first, "amount": "150", "name": "Two"}).status_code == 303
    assert states(local) == [(1, "current"), (2, "draft")]
    page = ann.get(f"/e/pact/{pact}/edit").text
    second = typed(page)
    assert (second["amount"][:3], second["name"], second["lines.0.item"]) == ("150", "Two", "a")
    assert "版本 2" in page
    assert ann.post(f"/e/pact/{pact}/edit", {**second, "name": "One"}).status_code == 303  # as it is in force
    changes = local.rows("revision")[-1]["changes"]
    assert (changes.get("name"), str(changes["amount"])[:3]) == (None, "150")
    assert ann.post(f"/e/pact/{pact}/edit", {**first, "name": "Three"}).status_code == 303  # a form of before
    assert {n: str(v)[:5] for n, v in local.rows("revision")[-1]["changes"].items()} == {
        "name": "Three",
        "amount": "150",
    }
    assert local.row("pact", pact)["amount"] == 100


def test_what_was_refused_keeps_its_draft(local: World) -> None:
    pact = in_force(local)
    local.update("ann", "pact", pact, amount=150)
    ann = browser(local, "ann")
    sent = typed(ann.get(f"/e/pact/{pact}/edit").text)
    answer = ann.post(f"/e/pact/{pact}/edit", {**sent, "name": ""})
    assert answer.status_code == 422
    assert typed(answer.text)["draft"] == sent["draft"]
    assert typed(answer.text)["amount"].startswith("150")
