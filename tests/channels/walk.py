"""One person walks every channel; what shows is compared with what the oracle says ought to show."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from werkzeug.test import TestResponse

from runtime.exchange.exports import export
from tests.channels.oracle import Oracle
from tests.channels.world import FIELDS, Role, World, canary

CANARY = re.compile(r"zq[a-z]+[0-9]{3}x")
T = TypeVar("T")
Finding = tuple[str, str, Any]  # channel, what is wrong, details
LISTED = ("name", "code", "note", "covert", "echo", "frozen", "purse", "alias")


def canaries(data: bytes) -> set[str]:
    """What is found in a text, with its marking and without (a search may mark parts of a word)."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            data = b"".join(book.read(name) for name in book.namelist())
    text = data.decode("utf-8", "replace").lower()
    return set(CANARY.findall(text)) | set(CANARY.findall(re.sub(r"<[^>]*>", "", text)))


def body(answer: TestResponse) -> Any:
    """The JSON of an answer."""
    return answer.json


class Walk:
    """The walk of one role's person, who wears that role alone from here on."""

    def __init__(self, world: World, role: Role) -> None:
        world.wear(role)
        self.world, self.role, self.oracle = world, role, Oracle(world, role)
        self.findings: list[Finding] = []
        self.browser = world.browsers[role.person]
        self.steps = 0

    # --- asking and judging --------------------------------------------------------------------------------------

    def page(self, address: str, **more: Any) -> TestResponse:
        self.steps += 1
        return self.browser.get(address, **more)

    def api(self, address: str, method: str = "GET", value: Any = None, **headers: str) -> TestResponse:
        self.steps += 1
        headers = {"Authorization": f"Bearer {self.world.tokens[self.role.person]}", **headers}
        more = {} if value is None else {"json": value}
        return self.world.app.test_client().open(f"/api/v1{address}", method=method, headers=headers, **more)

    def wrong(self, channel: str, what: str, details: Any) -> None:
        self.findings.append((channel, what, details))

    def same(self, channel: str, found: Any, wanted: Any) -> None:
        if found != wanted:
            self.wrong(channel, "differs", (found, wanted))

    def judge(
        self, channel: str, answer: TestResponse, must: set[str], may: set[str] | None = None, status: int = 200
    ) -> None:
        """All of `must` is there, nothing beyond `may` (the same where not given), and the status is the one due."""
        if answer.status_code != status:
            self.wrong(channel, "status", (answer.status_code, status, answer.text[:200]))
        found = canaries(answer.data)
        if leaked := found - (must if may is None else may):
            self.wrong(channel, "leak", sorted(leaked))
        if answer.status_code == status and (lost := must - found):
            self.wrong(channel, "loss", sorted(lost))

    def some(self, what: Sequence[T], parts: int) -> Sequence[T]:
        """One part of the like things to do; other roles do the others."""
        return what[self.role.number % parts :: parts]

    # --- the walk ------------------------------------------------------------------------------------------------

    def run(self) -> list[Finding]:
        for channel in (
            self.lists, self.chest_lists, self.searches, self.lookups, self.exports, self.reports, self.home,
            self.recycle_bin, self.api_lists, self.api_description,
        ):  # fmt: skip
            channel()
        for place in self.sample():
            ways = (self.record_pages, self.api_record)
            for way in ways if place in self.oracle.seen else self.some(ways, 2):
                way(place)
            self.files(place)
        self.unsaved()
        return self.findings

    def sample(self) -> list[int]:
        """A record that may be seen and one that may not, others for each role; and one that is deleted."""
        seen, number = sorted(self.oracle.seen), self.role.number
        unseen = sorted(set(self.world.living) - set(seen))
        return [*(some[number % len(some)] for some in (seen, unseen) if some), 12 + number % 2]

    @property
    def readable(self) -> bool:
        return self.oracle.may("read")

    @property
    def gone(self) -> int:
        """What the API answers for a record that may not be seen."""
        return 404 if self.readable else self.oracle.absent

    def row_texts(self, places: Iterable[int]) -> set[str]:
        """Canaries of rows of the declared list."""
        o, places = self.oracle, set(places)
        found = o.texts(places, LISTED) | o.peeked(places) | o.letters(places)
        return found | o.beyond(places, "name", "code", "covert")

    def lists(self) -> None:
        o, status = self.oracle, 200 if self.readable else 404
        for rest, places in self.some(self._list_addresses(), 3):
            must = self.row_texts(places)
            named = o.texts({self.role.number % 12} & o.seen, ["name"]) if "f.up" in rest else set()
            self.judge(f"list {rest}", self.page(f"/e/vault{rest}"), must, must | named, status)
        fragment = self.page("/e/vault", headers={"HX-Request": "true", "HX-Target": "div#list"})
        self.judge("list fragment", fragment, self.row_texts(o.seen), status=status)
        answer = self.page("/e/vault/totals")
        self.judge("totals", answer, set(), status=status)
        shown = re.findall(r'class="total">([0-9,]+)<', answer.text)
        total = o.weight(o.reach("report"))
        self.same(
            "totals", [int(t.replace(",", "")) for t in shown], [total] if o.may("report") and self.readable else []
        )
        if self.readable:
            hidden = self.page("/e/vault?where=contains(covert,'ember')").text
            self.same("where hidden", "mistake" in hidden or "where-problem" in hidden, not o.shows("covert"))

    def _list_addresses(self) -> list[tuple[str, set[int]]]:
        o, seen = self.oracle, self.oracle.seen
        opened = {p for p in seen if self.world.vaults[p]["kind"] == "open"}
        found = {word: seen if o.shows(name) else set() for name, word in (("name", "lantern"), ("covert", "ember"))}
        place = self.role.number % 12  # to filter by a record that may not be seen finds nothing
        target = self.world.vaults[place]["id"]
        above = {p for p in seen if self.world.vaults[p]["up"] == place and place in seen} if o.shows("up") else seen
        return [
            ("", seen), ("?view=open", opened), ("?view=hot", seen), ("?view=sorted", seen), ("?f.kind=open", opened),
            ("?sort=-covert", seen), ("?sort=up", seen), ("?sort=up.covert", seen), ("?q=pebble", seen),
            ("?q=lantern", found["lantern"]), ("?q=ember", found["ember"]), (f"?f.up={target}", above),
            ("?where=contains(covert,'ember')", found["ember"]), ("?where=kind == 'open'", opened),
        ]  # fmt: skip

    def chest_lists(self) -> None:
        o = self.oracle
        status = 200 if o.may("chest") else 404
        self.judge("list of chests", self.page("/e/chest"), o.chest_texts(o.chests), status=status)
        for place in sorted(o.chests)[:1]:
            number = self.world.chests[place]["id"]
            behind = o.texts({place} & o.seen, ["name"])
            must = o.chest_texts([place], behind=False) | behind
            self.judge("chest page", self.page(f"/e/chest/{number}"), must)
            self.judge("api chest", self.api(f"/chest/{number}"), must)

    def searches(self) -> None:
        o = self.oracle
        for word, field, inner in (("lantern", "name", "label"), ("ember", "covert", "inner")):
            vaults = o.seen if o.shows(field) else set()
            chests = o.chests if inner == "label" or not self.role.mode.hide_inner else set()
            must = o.texts(vaults, ["name"]) | {canary("label", p) for p in chests}
            may = must | o.texts(vaults, LISTED)  # a second line tells records of one title apart
            may |= o.texts(o.seen, ["name"]) if chests else set()
            may |= set() if self.role.mode.hide_inner else {canary("inner", p) for p in chests}
            ids = {("vault", self.world.vaults[p]["id"]) for p in vaults}
            ids |= {("chest", self.world.chests[p]["id"]) for p in chests}
            asked: list[dict[str, str]] = [{}, {"HX-Request": "true", "HX-Target": "div#search-results"}]
            for headers in self.some(asked, 2):
                answer = self.page(f"/search?q={word}", headers=headers)
                hits = {(e, int(i)) for e, i in re.findall(r'href="/e/(vault|chest)/([0-9]+)"', answer.text)}
                if headers:  # the short list below the search field
                    self.judge(f"search fragment {word}", answer, set(), may)
                    self.same(f"search fragment {word}", hits <= ids and bool(hits) == bool(ids), True)
                else:
                    self.judge(f"search {word}", answer, must, may)
                    self.same(f"search {word}", hits, ids)

    def lookups(self) -> None:
        o = self.oracle
        seen, may = o.texts(o.seen, ["name"]), o.texts(o.seen, LISTED)
        ids = {self.world.vaults[p]["id"] for p in o.seen}
        addresses = (
            ("/find/vault?q=", self.readable),
            ("/find/vault?q=pebble", self.readable),
            ("/e/vault/lookup/up?q=pebble", o.shows("up")),
            ("/e/vault/lookup/up.up?q=", o.shows("up")),
            ("/e/chest/lookup/vault?q=pebble", o.may("chest")),
            ("/e/coin/lookup/vault?q=pebble", True),
        )
        for address, open_ in self.some(addresses, 2):
            answer = self.page(address)
            if answer.status_code != 404 or (open_ and self.readable):
                self.judge(address, answer, seen if self.readable else set(), may)
                found = {int(i) for i in re.findall(r'data-id="([0-9]+)"', answer.text)}
                self.same(address, found, ids if self.readable and open_ else set())
            if not open_:
                self.judge(address, answer, set(), status=404)
        for word, field in (("lantern", "name"), ("ember", "covert")):
            leaked = canaries(self.page(f"/find/vault?q={word}").data) - (may if o.shows(field) else set())
            if leaked:
                self.wrong(f"lookup of {word}", "leak", leaked)

    def exports(self) -> None:
        o = self.oracle
        status = 404 if not self.readable else 200 if o.may("export") else 403
        given = o.reach("export") if status == 200 else set()
        for kind in self.some(("csv", "xlsx"), 2):
            answer = self.page(f"/e/vault/export?as={kind}")
            self.judge(f"export {kind}", answer, self.row_texts(given), status=status)
        answer = self.page("/e/vault/export?as=csv&q=ember")
        self.judge("export q", answer, self.row_texts(given if o.shows("covert") else ()), status=status)
        if status == 200:
            with tempfile.TemporaryDirectory() as folder, self.session() as session:
                path = Path(folder) / "all.json"
                self.same("export json", export(session, "vault", path, "json"), len(given))
                found, must = canaries(path.read_bytes()), o.texts(given, LISTED) | o.peeked(given)
                self.same("export json", found - must - o.beyond(given, "name") - o.letters(given), set())
                self.same("export json", must - found, set())

    def session(self) -> Any:
        return self.world.site.session(self.world.people[self.role.person]["id"])

    def reports(self) -> None:
        o, reach = self.oracle, self.oracle.reach("report")
        open_ = self.readable and o.may("report")
        status = 200 if open_ else 404
        covert = 404 if not open_ else 200 if o.shows("covert") else 403
        rows = o.texts(reach, ["name", "covert"]) | o.beyond(reach, "name", "code")
        by_up = 403 if open_ and not o.shows("up") else status
        chests = o.chests if o.may("chest") and o.shows("covert") else set()
        behind = o.texts(chests & o.seen, ["covert"])
        chest_status = 404 if not o.may("chest") else 200 if o.shows("covert") and self.readable else 403
        for name, must, due in (
            ("sums", set(), status), ("rows", rows, status), ("by_up", o.beyond(reach, "name"), by_up),
            ("by_covert", o.texts(reach, ["covert"]), covert), ("where_covert", set(), covert),
            ("chests_of", behind, chest_status),
        ):  # fmt: skip
            if name in self.some(("sums", "rows", "by_up", "by_covert", "where_covert", "chests_of"), 2):
                page = self.page(f"/reports/{name}")
                self.judge(f"report page {name}", page, must if due == 200 else set(), status=due)
                continue
            answer = self.api(f"/reports/{name}")
            self.judge(f"api report {name}", answer, must if due == 200 else set(), status=due)
            if due == 200 and name in ("sums", "by_up", "where_covert"):
                total = sum(int(row["values"]["w"] or 0) for row in body(answer)["rows"])
                self.same(f"api report {name}", total, o.weight(reach))

    def home(self) -> None:
        o, me = self.oracle, self.world.people[self.role.person]["id"]
        mine = {p for p in o.seen if self.world.vaults[p]["owner"] == me}
        self.judge("home", self.page("/"), o.texts(mine, ["name"]))

    def recycle_bin(self) -> None:
        o = self.oracle
        gone = o.reach("read", deleted=True) if o.may("delete") else set()
        self.judge("recycle bin", self.page("/recycle-bin?entity=vault"), o.texts(gone, ["name"]))
        for place in self.some((12, 13), 2):
            number = self.world.vaults[place]["id"]
            self.judge("deleted page", self.page(f"/e/vault/{number}"), set(), status=404)
            self.judge("deleted api", self.api(f"/vault/{number}"), set(), status=self.gone)

    # --- one record ----------------------------------------------------------------------------------------------

    def record_pages(self, place: int) -> None:
        o, number = self.oracle, self.world.vaults[place]["id"]
        seen = place in o.seen
        one = {place} if seen else set()
        status = 200 if seen else 404
        full = o.texts(one, LISTED) | o.peeked(one) | o.letters(one) | o.lines(one) | o.beyond(one, "name")
        self.judge("record page", self.page(f"/e/vault/{number}"), full | o.peers(one), status=status)
        peek = self.page(f"/e/vault/{number}", headers={"HX-Request": "true", "HX-Target": "div#peek"})
        self.judge("peek", peek, o.texts(one, ["name"]), full | o.peers(one), status=status)
        related = self.page(f"/e/vault/{number}/related/chests")
        chests = o.chests & one
        must = (o.chest_texts(chests, behind=False) | o.texts(chests & o.seen, ["covert"])) if o.may("chest") else set()
        self.judge("related", related, must, must | o.texts(one, ["name"]), status if o.may("chest") else 404)
        self.history(place, seen)
        entered = o.texts(one, LISTED) | o.lines(one) | o.beyond(one, "name")
        edit = 404 if not self.readable else 403 if not o.may("edit") else status
        self.judge("edit form", self.page(f"/e/vault/{number}/edit"), entered if edit == 200 else set(),
                   full | o.peers(one), status=edit)  # fmt: skip
        self.judge("copy form", self.page(f"/e/vault/{number}/copy"), o.texts(one, ["code"]), full | o.peers(one),
                   status=status)  # fmt: skip

    def history(self, place: int, seen: bool) -> None:
        o, number = self.oracle, self.world.vaults[place]["id"]
        recycled = place in o.reach("read", deleted=True)  # what is in the bin has a history for who may read it
        one = {place} if seen or recycled else set()
        must = o.texts(one, [f for f in FIELDS if f != "echo"])
        must |= {canary("old", p) for p in one} if o.shows("note") else set()
        status = 200 if one else 404
        beyond = o.beyond(one, "name") | o.peers(one)
        page = self.page(f"/e/vault/{number}/history")
        self.judge("history", page, must, must | beyond, status=status)
        answer = self.api(f"/vault/{number}/history")
        self.judge("api history", answer, must | o.lines(one), status=200 if one else self.gone)

    def api_record(self, place: int) -> None:
        o, number = self.oracle, self.world.vaults[place]["id"]
        seen = place in o.seen
        one = {place} if seen else set()
        status = 200 if seen else self.gone
        full = o.texts(one, LISTED) | o.peeked(one) | o.letters(one) | o.lines(one) | o.beyond(one, "name")
        full |= o.peers(one)
        answer = self.api(f"/vault/{number}")
        self.judge("api record", answer, full, status=status)
        if seen:
            self.same("fields of api record", sorted(set(body(answer)) & o.hidden), [])
        recycled = place in o.reach("read", deleted=True)
        stored = o.texts(one, FIELDS) | o.lines(one)
        if not recycled:
            self.judge("api at", self.api(f"/vault/{number}?at=2099-01-01"), stored, full, status=status)
        select = self.api(f"/vault/{number}?select=covert")
        self.judge("api select", select, o.texts(one, ["covert"]) if seen else set(),
                   status=(status if o.shows("covert") else 400) if self.readable else self.gone)  # fmt: skip
        self.judge(
            "api actions", self.api(f"/vault/{number}/actions"), set(), status=200 if one or recycled else self.gone
        )
        self.explanations(place, seen)

    def explanations(self, place: int, seen: bool) -> None:
        o, number = self.oracle, self.world.vaults[place]["id"]
        one = {place} if seen else set()
        for what in ("access", "uplen", ("echo", "peek", "behind", "covert")[self.role.number % 4]):
            open_ = seen and (what == "access" or o.shows(what))
            answer = self.api(f"/vault/{number}/explain/{what}")
            may = o.texts(one, ["covert"]) | o.beyond(one, "frozen") | o.peeked(one)
            self.judge(f"explain {what}", answer, set(), may, status=200 if open_ else self.gone)

    def files(self, place: int) -> None:
        o = self.oracle
        open_ = place in o.seen and o.shows("letter")
        answer = self.page(f"/files/{self.world.vaults[place]['letter']}")
        self.judge("file", answer, {canary("body", place)} if open_ else set(), status=200 if open_ else 404)

    def unsaved(self) -> None:
        """Forms that name a record which may not be seen: as a value typed in, and as one to begin with."""
        o = self.oracle
        unseen = sorted(set(self.world.living) - o.seen)
        if not unseen or not self.readable:
            return
        target = self.world.vaults[unseen[self.role.number % len(unseen)]]["id"]
        given = {"name": "x", "up": str(target), "peers": str(target), "coins.__rows": "1", "coins.0.mark": "m"}
        for address in ("/e/vault/evaluate", "/e/vault/new"):
            answer = self.browser.post(address, given, fragment=True)
            self.judge(f"unsaved {address}", answer, set(), status=200 if address.endswith("evaluate") else 422)
        self.judge("prefilled", self.page(f"/e/vault/new?up={target}&peers={target}"), set())
        self.judge("filtered", self.page(f"/e/vault?f.up={target}&f.owner={target}"), set(), self.row_texts(o.seen))
        for place in sorted(o.seen & o.reach("edit"))[:1]:
            number = self.world.vaults[place]["id"]
            answer = self.browser.post(f"/e/vault/{number}/evaluate", {"up": str(target)}, fragment=True)
            own = o.texts([place], LISTED) | o.lines([place]) | o.peeked([place])
            self.judge("unsaved change", answer, set(), own)

    # --- the API over many ---------------------------------------------------------------------------------------

    def api_lists(self) -> None:
        o, seen = self.oracle, self.oracle.seen
        status = 200 if self.readable else o.absent
        rows = o.texts(seen, LISTED) | o.peeked(seen) | o.letters(seen) | o.beyond(seen, "name")
        self.judge("api list", self.api("/vault?limit=1000"), rows, status=status)
        hidden = status if o.shows("covert") else 400 if self.readable else o.absent
        given = seen if o.shows("covert") else set()
        hop = hidden if o.shows("up") else 400 if self.readable else o.absent
        texts = o.texts(given, ["covert"])
        all_of = o.texts(given, LISTED) | o.peeked(given) | o.letters(given) | o.beyond(given, "name")
        asked: tuple[tuple[str, set[str], int], ...] = (
            ("?where=contains(covert,'ember')", all_of, hidden),
            ("?select=covert", texts, hidden),
            ("?select=id&sort=-covert", set(), hidden),
            ("?select=up.covert", o.beyond(seen, "covert"), hop),
            ("?select=id&where=up.covert is not None", set(), hop),
            ("?select=id&sort=up.covert", set(), hop),
        )
        for rest, must, due in self.some(asked, 2):
            answer = self.api(f"/vault{rest}&limit=1000")
            self.judge(f"api list {rest}", answer, must if due == 200 else set(), status=due)
        answer = self.api("/vault?select=id&where=up.code is not None&count=exact&limit=1")
        if self.readable and o.shows("up"):
            behind = {p for p in seen if self.world.vaults[p]["up"] in seen}
            self.same("api count over a link", body(answer).get("count"), len(behind))
        self.api_views(status)

    def api_views(self, status: int) -> None:
        o, seen = self.oracle, self.oracle.seen
        opened = {p for p in seen if self.world.vaults[p]["kind"] == "open"}
        self.judge("api view open", self.api("/lists/vault/open"), self.row_texts(opened), status=status)
        self.judge("api view all", self.api("/lists/vault/all"), self.row_texts(seen), status=status)
        self.judge("api view sorted", self.api("/lists/vault/sorted"), self.row_texts(seen), status=status)
        hot = (
            status if o.shows("covert") or not self.readable else 404
        )  # which rows it takes would tell what is in a hidden field
        self.judge("api view hot", self.api("/lists/vault/hot"), self.row_texts(seen) if hot == 200 else set(),
                   status=hot)  # fmt: skip
        answer = self.api("/vault?q=ember&limit=1000")
        found = seen if o.shows("covert") else set()
        ids = {str(self.world.vaults[p]["id"]) for p in found}
        self.same("api q", {r["id"] for r in body(answer).get("records", [])}, ids)

    def api_description(self) -> None:
        o = self.oracle
        document = body(self.api("/openapi.json"))
        schema = document["components"]["schemas"].get("vault", {}).get("properties", {})
        if self.readable:
            every = {*LISTED, "up", "peek", "peers", "letter", "coins", "weight", "uplen"}
            self.same("openapi", every & set(schema), every - o.hidden)
        self.same("openapi", "/vault" in document["paths"], self.readable or self.role.creates)
        self.same("openapi", "/chest" in document["paths"], o.may("chest"))
        self.judge("me", self.api("/me"), set())
        self.judge("reports", self.api("/reports"), set())
