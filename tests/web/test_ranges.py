"""Lists filtered by ever other numbers and days: put together once, and right for each."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from runtime.site import Site
from tests.web.conftest import Browser
from web.pages import lists

RANGES = [
    ("f.created_on.from=2020-01-01", "f.created_on.from=2021-02-03"),
    ("f.created_on.from=2020-01-01&f.created_on.to=2099-12-31&sort=-name", "f.created_on.from=2019-05-06&f.created_on.to=2098-11-30&sort=-name"),
    ("view=all&f.created_on.to=2099-12-31", "view=all&f.created_on.to=2097-10-09"),
]  # fmt: skip


def listed(admin: Browser, query: str, *, part: bool) -> str:
    headers = {"HX-Request": "true", "HX-Target": "div#list"} if part else {}
    answer = admin.get(f"/e/customer?{query}", headers=headers)
    assert answer.status_code == 200
    return re.sub(r'(name="csrf_token" value|csrf-token" content)="[^"]+"', r"\1", answer.text)


@pytest.mark.parametrize("part", [True, False])
@pytest.mark.parametrize(("first", "second"), RANGES)
def test_a_page_put_together_for_other_ends_is_the_page(
    admin: Browser, site: Site, monkeypatch: pytest.MonkeyPatch, first: str, second: str, part: bool
) -> None:
    listed(admin, first, part=part)
    prepared = listed(admin, second, part=part)
    monkeypatch.setattr(lists, "LONGEST_KEPT", 0)
    assert prepared == listed(admin, second, part=part)
    for value in re.findall(r"=(\d[-\d]+)", second):
        assert f'value="{value}"' in prepared
    for value in set(re.findall(r"=(\d[-\d]+)", first)) - set(re.findall(r"=(\d[-\d]+)", second)):
        assert value not in prepared


@pytest.mark.parametrize("end", ['"><script>alert(1)</script>', "2020-01-01&x=1", "%E5%95%8A", "1,5"])
def test_what_is_no_plain_end_is_escaped_as_ever(admin: Browser, end: str) -> None:
    text = admin.get(f"/e/customer?f.created_on.from={quote(end)}").text
    assert "<script>alert" not in text
