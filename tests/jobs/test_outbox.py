"""What leaves the program: webhooks signed, never to addresses inside; mails once, or listed as unknown."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.packages import platform
from runtime.clock import FakeClock
from runtime.jobs import Worker
from runtime.messaging.calling import NotAllowed, checked_address, is_signed, signing_key
from runtime.messaging.outbox import post_mail, post_webhook, send_again
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings
from runtime.site import Site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, job_tries=2, allow_private_addresses=True)
    with Site(settings, FakeClock()) as site:
        publish(site, [platform()])
        yield site


class Listener:
    """A program outside that notes what it is called with, and answers `status`."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], str]] = []
        self.status = 200
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                listener.calls.append((dict(self.headers), body))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/in"


@pytest.fixture
def outside() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def states(site: Site) -> list[tuple[str, str | None]]:
    with site.session() as session:
        table = session.table("message")
        rows = session.connection.execute(sa.select(table.c.state, table.c.error).order_by(table.c.id))
        return [(state, error) for state, error in rows]


def test_a_webhook_is_signed_and_keeps_its_event_id_when_it_is_tried_again(site: Site, outside: Listener) -> None:
    outside.status = 503
    with site.session(write=True) as session:
        _, event = post_webhook(session, outside.url, "won", {"entity": "deal", "id": "7"})
    Worker(site).run_all()
    assert states(site) == [("waiting", "HTTP 503")]
    outside.status = 200
    site.clock.advance(minutes=5)  # type: ignore[attr-defined]
    Worker(site).run_all()
    assert [state for state, _ in states(site)] == ["sent"]
    assert [headers["Octavo-Event"] for headers, _ in outside.calls] == [event, event]
    headers, body = outside.calls[-1]
    stamp = int(headers["Octavo-Signature"].split(",")[0][2:])
    assert is_signed(signing_key(site, "won"), headers["Octavo-Signature"], body, stamp)
    assert not is_signed(signing_key(site, "lost"), headers["Octavo-Signature"], body, stamp)


def test_a_refusal_is_final_until_somebody_sends_it_again(site: Site, outside: Listener) -> None:
    outside.status = 410
    with site.session(write=True) as session:
        message, _ = post_webhook(session, outside.url, "won", {})
    Worker(site).run_all()
    assert states(site) == [("failed", "HTTP 410")]
    outside.status = 204
    with site.session(write=True) as session:
        assert send_again(session, message)
    Worker(site).run_all()
    assert [state for state, _ in states(site)] == ["sent"]
    with site.session(write=True) as session:
        assert not send_again(session, message)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.2", "127.1", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "::1",
     "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "fd00::1", "2002:7f00:1::"],
)  # fmt: skip
def test_addresses_inside_are_not_called(site: Site, host: str) -> None:
    site.settings = replace(site.settings, allow_private_addresses=False)
    with pytest.raises((NotAllowed, OSError)):
        checked_address(site, host, 80)


def test_a_listener_inside_gets_no_call(site: Site, outside: Listener) -> None:
    site.settings = replace(site.settings, allow_private_addresses=False)
    with site.session(write=True) as session:
        post_webhook(session, outside.url, "won", {})
        post_webhook(session, "file:///etc/passwd", "won", {})
        post_webhook(session, outside.url.replace("http://", "http://user@"), "won", {})
    Worker(site).run_all()
    assert [state for state, _ in states(site)] == ["failed"] * 3
    assert outside.calls == []


class Mailbox:
    """A mail server of a few lines: `after_data` is its answer to a mail, None breaks the line off."""

    def __init__(self, after_rcpt: str = "250 ok", after_data: str | None = "250 taken") -> None:
        self.after_rcpt, self.after_data = after_rcpt, after_data
        self.mails: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.socket.getsockname()[1]}?from=crm@example.com"

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            with line, line.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        def say(text: str) -> None:
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        say("220 here")
        for raw in stream:
            word = raw.decode().split(" ")[0].strip().upper()
            if word == "DATA":
                say("354 go on")
                text = b""
                for part in stream:
                    if part == b".\r\n":
                        break
                    text += part
                self.mails.append(text.decode())
                if self.after_data is None:
                    return
                say(self.after_data)
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say(self.after_rcpt if word == "RCPT" else "250 ok")


def test_a_mail_leaves_once_with_a_stable_id_and_no_headers_of_its_own(site: Site) -> None:
    with site.session(write=True) as session:
        post_mail(session, ["a@example.com\r\nBcc: b@example.com"], "One\r\nX-Evil: 1", "Hello")
    Worker(site).run_all()
    assert states(site) == [("waiting", None)]  # there is no way to send it yet
    box = Mailbox()
    site.settings = replace(site.settings, smtp_url=box.url)
    with site.session(write=True) as session:
        from runtime.jobs import enqueue

        enqueue(session, "send_waiting", {})
        enqueue(session, "send_waiting", {})
    Worker(site).run_all()
    assert [state for state, _ in states(site)] == ["sent"]
    [mail] = box.mails
    head = mail.partition("\r\n\r\n")[0].lower().split("\r\n")
    assert not [line for line in head if line.startswith(("bcc:", "x-evil:"))]
    assert any(line.startswith("message-id:") for line in head)


@pytest.mark.parametrize(
    ("box", "state"),
    [
        (Mailbox(after_rcpt="550 no such person"), "failed"),
        (Mailbox(after_rcpt="451 come again"), "waiting"),
        (Mailbox(after_data=None), "unknown"),
        (Mailbox(after_data="554 spam"), "failed"),
    ],
)
def test_the_fate_of_a_mail_is_told(site: Site, box: Mailbox, state: str) -> None:
    site.settings = replace(site.settings, smtp_url=box.url)
    with site.session(write=True) as session:
        post_mail(session, ["a@example.com"], "One", "Hello")
    Worker(site).run_all()
    assert [found for found, _ in states(site)] == [state]
    before = len(box.mails)
    Worker(site).run_all()
    assert len(box.mails) == before  # an unknown one is not sent again by itself


def test_a_mail_whose_worker_died_is_unknown(site: Site) -> None:
    box = Mailbox()
    site.settings = replace(site.settings, smtp_url=box.url)
    with site.session(write=True) as session:
        [message] = post_mail(session, ["a@example.com"], "One", "Hello")
        table = session.table("message")
        session.connection.execute(sa.update(table).where(table.c.id == message).values(state="sending"))
    Worker(site).run_all()
    assert [state for state, _ in states(site)] == ["unknown"]
    assert box.mails == []
