"""P17: one effect for one key, whatever happens to the reply."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Api
from web.api import idempotent, records

pytestmark = pytest.mark.promise("P17")


def post(api: Api, key: str, name: str, **more: Any) -> Any:
    return api.call("boss", "POST", "/account", {"name": name}, headers={"Idempotency-Key": key}, **more)


def count(api: Api, name: str) -> int:
    return int(api.call("boss", "GET", f"/account?where=name == '{name}'&count=exact").json["count"])


def test_a_retry_gets_the_same_answer(api: Api) -> None:
    first, second = post(api, "k-1", "once"), post(api, "k-1", "once")
    assert (first.status_code, first.data, first.headers["Location"], first.headers["ETag"]) == (
        second.status_code,
        second.data,
        second.headers["Location"],
        second.headers["ETag"],
    )
    assert second.headers["Idempotent-Replayed"] == "true"
    assert count(api, "once") == 1


def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    assert post(api, "k-2", "one body").status_code == 201
    assert post(api, "k-2", "another body").status_code == 422
    assert count(api, "another body") == 0


def test_keys_belong_to_their_user(api: Api) -> None:
    assert post(api, "k-3", "of boss").status_code == 201
    other = api.call("alice", "POST", "/account", {"name": "of alice"}, headers={"Idempotency-Key": "k-3"})
    assert other.status_code == 201


def test_a_refused_request_keeps_nothing(api: Api) -> None:
    assert api.call("boss", "POST", "/account", {"x": 1}, headers={"Idempotency-Key": "k-4"}).status_code == 422
    assert post(api, "k-4", "mended").status_code == 201


def test_twins_have_one_effect(api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(api, "k-twins", "twin"), range(16)))
    done = [a for a in answers if a.status_code == 201]
    assert len({a.data for a in done}) == 1
    assert {a.status_code for a in answers} <= {201, 503}
    assert count(api, "twin") == 1


def test_a_crash_after_the_commit_loses_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reply is lost on the way, the answer was committed with the effect."""
    real = idempotent.run

    def dies(work: Any) -> Any:
        real(work)
        raise SystemExit

    monkeypatch.setattr(records.idempotent, "run", dies)
    with pytest.raises(SystemExit):
        post(api, "k-crash", "survivor")
    monkeypatch.setattr(records.idempotent, "run", real)
    assert post(api, "k-crash", "survivor").status_code == 201
    assert count(api, "survivor") == 1


def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    assert post(api, "k-old", "yesterday").status_code == 201
    api.site.clock.advance(**{"seconds": timedelta(hours=25).total_seconds()})  # type: ignore[attr-defined]
    assert post(api, "k-old", "today").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "ü"])
def test_keys_are_bounded(api: Api, key: str) -> None:
    assert post(api, key, "bad key").status_code == 400
