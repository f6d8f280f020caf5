from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests.api.conftest import Api
from web.logging import MASK, configure_logging


def test_health(api: Api) -> None:
    assert api.call(None, "GET", "/healthz").json == {"status": "ok"}
    ready = api.call(None, "GET", "/readyz").json
    assert (ready["ready"], ready["version"], ready["database"]) == (True, 1, api.site.dialect)


def test_not_ready_without_a_database(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.errors import Busy

    def away(*_: object, **__: object) -> None:
        raise Busy

    monkeypatch.setattr(type(api.site), "session", away)
    response = api.call(None, "GET", "/readyz")
    assert (response.status_code, response.json["ready"]) == (503, False)
    busy = api.call("boss", "GET", "/account")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
    text = api.call(None, "GET", "/metrics").get_data(as_text=True)
    assert "octavo_ready 0.0" in text


def test_metrics_count_requests_by_endpoint(api: Api) -> None:
    api.call("boss", "GET", "/me")
    text = api.call(None, "GET", "/metrics").get_data(as_text=True)
    assert 'octavo_request_seconds_count{endpoint="api.me",method="GET",status="200"}' in text
    assert "octavo_version 1.0" in text
    assert "octavo_job_lag_seconds" in text


@pytest.mark.attack("N94")
def test_a_bug_shows_a_number_and_nothing_else(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from web.api import records

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(records, "run", broken)
    response = api.call("boss", "GET", "/account")
    assert response.status_code == 500
    assert b"secret inside" not in response.data
    assert b"RuntimeError" not in response.data


def test_logs_are_json_without_secrets(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure_logging(tmp_path, console=False)
        logging.getLogger("octavo.test").warning("客户 used Bearer abcdefgh12345", extra={"password": "open sesame"})
        line = orjson.loads((tmp_path / "log" / "octavo.log").read_bytes().splitlines()[-1])
    finally:
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
    assert line["event"] == f"客户 used Bearer {MASK}"
    assert (line["password"], line["level"]) == (MASK, "warning")


@pytest.mark.attack("N30")
def test_metrics_are_for_this_machine_and_for_the_token(api: Api) -> None:
    def status(address: str, **headers: str) -> int:
        environ = {"REMOTE_ADDR": address}
        return api.app.test_client().get("/metrics", headers=headers, environ_base=environ).status_code

    assert [status("127.0.0.1"), status("::1"), status("127.8.8.8")] == [200, 200, 200]
    assert [status("192.0.2.7"), status("::ffff:10.0.0.1"), status("")] == [404, 404, 404]
    assert status("127.0.0.1", **{"X-Forwarded-For": "192.0.2.7"}) == 404
    assert status("192.0.2.7", Authorization="Bearer ") == 404
    settings = api.site.settings
    api.site.settings = replace(settings, metrics_token="m" * 40)
    try:
        assert status("192.0.2.7", Authorization="Bearer " + "m" * 40) == 200
        assert status("192.0.2.7", Authorization="Bearer " + "m" * 39) == 404
    finally:
        api.site.settings = settings
