"""The page for auditors says what the tests are."""

from __future__ import annotations

from tests import security_page


def test_the_page_is_that_of_the_tests() -> None:
    text = security_page.PAGE.read_text(encoding="utf-8")
    assert text == security_page.page(text), "run python -m tests.security_page"


def test_every_id_that_a_test_carries_has_its_sentence() -> None:
    assert security_page.carried().keys() - security_page.MEANING.keys() == set()
