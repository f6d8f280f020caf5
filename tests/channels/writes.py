"""One person tries to change what is not his to change, by every way in; the answers, and the database after them."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.channels.walk import Finding, Walk, body, canaries
from tests.channels.world import content


class Writes(Walk):
    """Every write that ought to be refused, then one of each kind that ought to be allowed and changes nothing."""

    def run(self) -> list[Finding]:
        before = content(self.world.site)
        o = self.oracle
        unseen = sorted(set(self.world.living) - o.seen)
        for operation, attempt in (("edit", self.edits), ("delete", self.deletions)):
            beyond = sorted(o.seen - o.reach(operation))
            for places in (unseen, beyond):
                if places:
                    attempt(places[self.role.number % len(places)])
        self.restoring()
        self.importing()
        mine = sorted(o.reach("edit"))
        if mine:
            self.fields(mine[self.role.number % len(mine)])
        after = content(self.world.site)
        if changed := sorted(name for name in after if after[name] != before.get(name)):
            self.wrong("database", "changed", changed)
        if mine:
            self.allowed(mine[self.role.number % len(mine)])
        return self.findings

    def due(self, operation: str, place: int, *, page: bool = False) -> int:
        """The status of a refusal: 404 for what may not be seen, 403 for what may."""
        o = self.oracle
        if page and not self.readable:
            return 404
        if not o.may(operation):
            return 403 if self.readable else o.absent
        return 403 if place in o.seen else 404 if self.readable or place not in o.seen else o.absent

    def refused(self, channel: str, answer: TestResponse, status: int) -> None:
        self.same(channel, answer.status_code, status)
        if (leaked := canaries(answer.data)) and self.role.scopes["read"] is None:  # a token may hold the first letters
            self.wrong(channel, "leak", sorted(leaked))

    def post(self, address: str, data: Any = None) -> TestResponse:
        self.steps += 1
        return self.browser.post(address, data, fragment=bool(self.role.number % 2))

    # --- what is tried -------------------------------------------------------------------------------------------

    def edits(self, place: int) -> None:
        number = self.world.vaults[place]["id"]
        due, shown = self.due("edit", place), self.due("edit", place, page=True)
        one = self.api(f"/vault/{number}", "PATCH", {"code": "taken"})
        self.refused("api patch", one, due)
        if place not in self.oracle.seen:
            missing = self.api("/vault/999999", "PATCH", {"code": "taken"})
            self.same("unseen as missing", (missing.status_code, missing.data), (one.status_code, one.data))
        rows = {"update": [{"id": str(number), "code": "taken"}]}
        self.refused("api batch", self.api("/vault/batch", "POST", rows), due)
        rowwise = self.api("/vault/batch", "POST", rows | {"atomic": False})
        self.same("api rowwise", body(rowwise)["results"][0]["status"] if rowwise.status_code == 200 else due, due)
        header = {"X-HTTP-Method-Override": "PATCH"}
        self.judge("override", self.api(f"/vault/{number}", "POST", {"code": "taken"}, **header), set(), status=405)
        self.refused("form", self.post(f"/e/vault/{number}/edit", {"code": "taken", "version": "3"}), shown)
        if self.oracle.shows("coins"):
            self.refused("lines", self.api(f"/vault/{number}", "PATCH", {"coins": []}), due)

    def deletions(self, place: int) -> None:
        number = self.world.vaults[place]["id"]
        due = self.due("delete", place)
        self.refused("api delete", self.api(f"/vault/{number}", "DELETE"), due)
        self.refused("api batch delete", self.api("/vault/batch", "POST", {"delete": [str(number)]}), due)
        acted = self.api(f"/vault/{number}/actions/delete", "POST")
        self.refused("api action", acted, due if self.readable and place in self.oracle.seen else self.gone)
        page = 403 if place in self.oracle.seen else 404
        self.refused("delete page", self.post(f"/e/vault/{number}/delete"), page)
        many = self.post("/e/vault/delete", {"id": str(number)})
        if many.status_code not in (200, 303, 403, 404):
            self.wrong("delete many", "status", many.status_code)

    def restoring(self) -> None:
        o = self.oracle
        seen, mine = o.reach("read", deleted=True), o.reach("delete", deleted=True)
        for place in sorted({12, 13} - mine)[:1]:
            number = self.world.vaults[place]["id"]
            status = 403 if place in seen else 404
            self.refused("restore page", self.post(f"/e/vault/restore?id={number}"), status)
            for action in ("restore", "purge"):
                answer = self.api(f"/vault/{number}/actions/{action}", "POST")
                self.refused(f"api {action}", answer, 403 if place in seen else self.gone)

    def importing(self) -> None:
        if not self.role.creates:
            self.refused("import page", self.page("/e/vault/import"), 404)
            self.refused("import", self.post("/e/vault/import/1", {"header": "name", "target": "name"}), 404)
        if self.oracle.may("chest"):
            self.refused("import of chests", self.page("/e/chest/import"), 403)
            self.refused("new chest", self.post("/e/chest/new", {"label": "x"}), 403)
        self.refused(
            "create chest", self.api("/chest", "POST", {"label": "x"}), 403 if self.oracle.may("chest") else 404
        )
        self.refused("file row", self.api("/file/1", "PATCH", {"name": "x"}), 404)
        grant = {"entity": "vault", "record": self.world.vaults[0]["id"], "person": self.oracle.me["id"]}
        self.refused("share", self.api("/record_share", "POST", grant), 404)

    def fields(self, place: int) -> None:
        """A record he may change, and the fields of it he may not."""
        o, number = self.oracle, self.world.vaults[place]["id"]
        protected = [*sorted(o.hidden & {"covert", "name", "note", "alias", "purse"}), *self.role.mode.read_only]
        for name in [*protected, "echo", "behind", "id", "created_by", "version", "deleted_at", "nothing"]:
            for value, method, address in (
                ({name: "7777"}, "PATCH", f"/vault/{number}"),
                ({"update": [{"id": number, "code": "taken", name: "7777"}]}, "POST", "/vault/batch"),
            ):
                if address.endswith("batch") and name in ("id", "version"):
                    continue  # there they say which record is meant
                answer = self.api(address, method, value)
                self.refused(f"{method} {name}", answer, 422)
                told = {p["field"].rpartition(".")[2] for p in body(answer).get("problems", [])}
                self.same(f"problem of {name}", told, {name})
        if not o.reach("assign") & {place}:
            other = next(p["id"] for p in self.world.people.values() if p["id"] != self.world.vaults[place]["owner"])
            self.refused("assign", self.api(f"/vault/{number}", "PATCH", {"owner": str(other)}), 403)
        vault = self.world.vaults[place]
        unseen = sorted(set(self.world.living) - o.seen - {vault["up"], *vault["peers"]})
        if unseen and o.shows("up"):
            target = str(self.world.vaults[unseen[0]]["id"])
            for name, given in (("up", target), ("peers", [target])):
                if o.shows(name):
                    answer = self.api(f"/vault/{number}", "PATCH", {name: given})
                    self.refused(f"link {name}", answer, 422)
        if o.shows("letter"):
            letter = self.world.vaults[(place + 1) % 12]["letter"]
            self.refused("file of another", self.api(f"/vault/{number}", "PATCH", {"letter": str(letter)}), 422)
        forged = self.browser.client.post(f"/e/vault/{number}/edit", data={"code": "taken"})
        self.refused("form without its token", forged, 400)

    def allowed(self, place: int) -> None:
        vault = self.world.vaults[place]
        self.judge("may edit", self.api(f"/vault/{vault['id']}", "PATCH", {"kind": vault["kind"]}), set(), ANY)
        form = self.page(f"/e/vault/{vault['id']}/edit")
        self.same("may edit by form", form.status_code, 200)


class _Any(set[str]):
    """Every canary: what a record answered to its own editor shows is judged by the walk."""

    def __rsub__(self, other: Any) -> set[str]:
        return set()


ANY = _Any()
