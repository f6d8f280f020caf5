"""What the killing of rules is done on: an application of every kind of rule, its people, and what lies outside."""

from __future__ import annotations

import os
import random
import socketserver
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from metadata.packages import load_texts, platform
from runtime import records
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site

APPLICATION = """
entity: parcel
title: name
owner: owner
fields:
  name: {type: text, required: true}
  mail: {type: email, default: someone@example.com}
  sent: {type: integer, default: 0}
  owner: user
---
entity: crate
title: name
owner: owner
fields:
  name: {type: text, required: true}
  owner: user
---
entity: slip
title: text
fields:
  text: {type: text, required: true}
  parcel: {type: link, to: parcel}
  crate: {type: link, to: crate}
  bill: {type: link, to: bill}
---
entity: ticket
title: name
owner: owner
fields:
  name: {type: text, required: true}
  lot: {type: integer, default: 0}
  owner: user
---
entity: purchase
title: name
fields:
  name: {type: text, required: true}
  receipt: {type: link, to: receipt}
  lines: {type: lines, entity: purchase_line}
---
entity: purchase_line
title: item
fields:
  purchase: {type: link, to: purchase, required: true, on_delete: cascade}
  item: {type: text, required: true}
  quantity: {type: integer, default: 1}
---
entity: receipt
title: name
fields:
  name: {type: text, required: true}
  purchase: {type: link, to: purchase}
  lines: {type: lines, entity: receipt_line}
---
entity: receipt_line
title: item
fields:
  receipt: {type: link, to: receipt, required: true, on_delete: cascade}
  item: {type: text, required: true}
  quantity: {type: integer, default: 1}
  source: {type: link, to: purchase_line}
---
entity: bill
title: name
owner: owner
fields:
  name: {type: text, required: true}
  owner: {type: user, default: "=user"}
  status: {type: select, options: bill_status, default: draft, readonly: true}
---
options: bill_status
choices: {draft: Draft, approved: Approved}
---
workflow: packed
entity: parcel
on: create
steps:
  - {slip: {text: "Slip of {name}", parcel: "=id"}}
  - {set: {sent: "=sent + 1"}}
  - {notify: {to: owner, subject: "Packed {name}"}}
  - {webhook: {url: "http://127.0.0.1:@HOOK@/in", fields: [name]}}
  - {message: {address: mail, subject: "Packed {name}", body: "It is under way."}}
  - {name: copy, slip: {text: "Copy of {name}", parcel: "=id"}}
---
reminder: unopened
entity: crate
where: "owner is not None"
to: owner
then: [{slip: {text: "Late {name}", crate: "=id"}}]
subject: "{name} is late"
---
assignment: tickets
entity: ticket
on: [import]
rules: [{name: turn, pick: {from: {role: boss}, by: round_robin}}]
---
conversion: purchase_to_receipt
from: purchase
once: true
to:
  receipt:
    entity: receipt
    map: {name: "=name"}
    back: purchase
    lines: {lines: {from: lines, map: {item: "=item"}, quantity: quantity, left: quantity, back: source}}
keep: {receipt: receipt}
then: [{webhook: {url: "http://127.0.0.1:@HOOK@/in", fields: [name]}}]
---
approval: bill
start: {on: submit}
steps:
  - {name: manager, by: {manager_of: owner}}
  - {name: both, by: {role: director}, need: all}
on_approved:
  - {set: {status: approved}}
  - {slip: {text: "Approved {name}", bill: "=id"}}
  - {notify: owner}
  - {webhook: {url: "http://127.0.0.1:@HOOK@/in", fields: [name]}}
---
role: boss
grants: {"*": {all: all}}
---
role: director
includes: [boss]
grants: {}
"""
PEOPLE = (("top", "boss"), ("mia", "boss"), ("ann", "boss"), ("dan", "director"), ("eva", "director"))


def prepare(folder: Path, database_url: str, redis_url: str, hook: int, mail: int) -> None:
    settings = throwaway_settings(
        folder,
        database_url=database_url,
        redis_url=redis_url,
        smtp_url=f"smtp://127.0.0.1:{mail}?from=site@example.com",
        allow_private_addresses=True,
        job_lease_seconds=1,
        job_tries=50,
        embedded_worker=False,
    )
    write_settings(settings)
    with Site(settings) as site:
        publish(site, [platform(), load_texts({"site.yaml": APPLICATION.replace("@HOOK@", str(hook))}, "site")])
        known: dict[str, int] = {}
        for login, role in PEOPLE:
            with site.session(write=True) as session:
                manager = {"ann": known.get("mia"), "top": None}.get(login, known.get("top"))
                values = {"login": login, "name": login, "roles": [{"role": role}], "manager": manager}
                known[login] = records.create(session, "user", values).id


# --- what is outside ---------------------------------------------------------------------------------------------


def listen(log: Path) -> tuple[int, int, list[int]]:
    """A program and a mail server that note the id of what they are given; their ports, and the processes."""

    def note(line: str) -> None:
        with log.open("a") as target:
            target.write(f"{line}\n")
        time.sleep(random.uniform(0, 0.02))  # noted, not yet answered: the moment whose fate is unknown

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            note(self.headers["Octavo-Event"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    class Mail(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            for raw in self.rfile:
                word = raw.decode().split(" ")[0].strip().upper()
                if word == "DATA":
                    self.say("354 go on")
                    for part in iter(self.rfile.readline, b".\r\n"):
                        if part.lower().startswith(b"message-id:"):
                            known = part.decode().partition("<")[2].partition("@")[0]
                        elif not part:
                            return
                    note(known)
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    class Mails(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """The other side was killed while we spoke."""

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Hook), Mails(("127.0.0.1", 0), Mail)]
    servers[0].handle_error = lambda *_: None  # type: ignore[method-assign]
    processes = []
    for server in servers:
        child = os.fork()
        if child == 0:
            server.serve_forever()
        processes.append(child)
        server.socket.close()
    return servers[0].server_port, servers[1].server_address[1], processes
