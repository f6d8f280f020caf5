"""The pages of rules over the whole stock application: every rule is listed, opens, and can be tried out."""

from __future__ import annotations

import re

import pytest

from runtime.site import Site
from runtime.trials import WORDS
from runtime.views.rules import SHOWN
from tests.web.conftest import Browser

SINCE = {"since": "2026-01-01", "until": "2026-12-31"}


def test_every_rule_is_listed_and_its_page_opens(site: Site, admin: Browser) -> None:
    app = site.application()
    listed = set(re.findall(r'href="/rules/([a-z_]+/[a-z0-9_]+)"', admin.get("/rules").text))
    assert listed == {f"{word}/{name}" for word in SHOWN for name in app.of(word)}
    assert {at: admin.get(f"/rules/{at}").status_code for at in listed} == dict.fromkeys(listed, 200)
    one = admin.get("/rules?of=score").text
    assert {at.split("/")[0] for at in re.findall(r'href="/rules/([a-z_]+/[a-z0-9_]+)"', one)} == {"score"}
    page = admin.get("/rules/score/customer_value").text
    assert '<a class="side-link active" aria-current="page" href="/rules">' in page  # the menu says where one is


@pytest.mark.parametrize("word", WORDS)
def test_every_stock_rule_can_be_tried_out(site: Site, admin: Browser, word: str) -> None:
    names = sorted(site.application().of(word))
    assert names
    admin.get("/rules")
    answers = {name: admin.post(f"/rules/{word}/{name}", SINCE) for name in names}
    assert {n: a.status_code for n, a in answers.items()} == dict.fromkeys(names, 200)
    assert all('id="trial"' in a.text for a in answers.values())
