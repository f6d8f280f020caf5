"""Who may see what, worked out from the declared facts in plain Python; nothing of the product is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.channels.world import FIELDS, Role, World, canary

READS = {
    "echo": {"covert"},
    "peek": {"up", "alias"},
    "behind": {"up", "alias"},
    "uplen": {"up", "frozen"},
}  # computed field -> what it reads


class Oracle:
    """The rights of one role's person over the records of a world. Records are known by their places."""

    def __init__(self, world: World, role: Role) -> None:
        self.world, self.role = world, role
        self.me = world.people[role.person]
        self.hidden = set(role.mode.hide) | ({"purse"} - set(role.mode.show))
        self.hidden |= {name for name, reads in READS.items() if reads & self.hidden}

    # --- rows ----------------------------------------------------------------------------------------------------

    def may(self, operation: str) -> bool:
        return self.role.scopes[operation] is not None

    def reach(self, operation: str, *, deleted: bool = False) -> set[int]:
        """Places of the records in the scopes of reading and of `operation`."""
        vaults = self.world.vaults
        return {
            place
            for place in range(len(vaults))
            if vaults[place]["deleted"] is deleted and self._in("read", place) and self._in(operation, place)
        }

    @property
    def seen(self) -> set[int]:
        return self.reach("read")

    @property
    def chests(self) -> set[int]:
        return {n for n, c in enumerate(self.world.chests) if self._holds(self.role.scopes["chest"], "read", c, None)}

    def _in(self, operation: str, place: int) -> bool:
        return self._holds(self.role.scopes[operation], operation, self.world.vaults[place], place)

    def _holds(self, scope: str | None, operation: str, record: dict[str, Any], place: int | None) -> bool:
        me, owner = self.me["id"], record["owner"]
        holder = next((p for p in self.world.people.values() if p["id"] == owner), None)
        if scope is None:
            return False
        if scope == "own":
            return bool(owner == me)
        if scope == "all":
            return True
        if scope == "shared":
            edit = None if place is None else self.world.shares.get((place, me))
            return edit is not None and (edit or operation in ("read", "export", "report"))
        if scope == "team":
            return me in self.world.team and owner in self.world.team
        if scope == "unit":
            mine = below(self.world.above, self.me["unit"])
            return record.get("unit") in mine or (holder is not None and holder["unit"] in mine)
        if scope == "subordinates":
            chain = {p["id"]: p["manager"] for p in self.world.people.values()}
            return owner is not None and owner != me and owner in below(chain, me)
        assert scope == "=kind == 'open'"
        return bool(record["kind"] == "open")

    @property
    def absent(self) -> int:
        """What the API answers where nothing may be read: who may not even write does not learn of the entity."""
        return 403 if self.role.creates or self.may("edit") or self.may("delete") else 404

    # --- canaries ------------------------------------------------------------------------------------------------

    def shows(self, field: str) -> bool:
        return field not in self.hidden

    def texts(self, places: Iterable[int], fields: Iterable[str] = FIELDS) -> set[str]:
        """Canaries in the given fields of the records; `echo` repeats what is in `covert`."""
        found = set()
        for field in fields:
            if self.shows(field):
                kind = {"echo": "covert"}.get(field, field)
                found |= {canary(kind, place) for place in places}
        return found

    def beyond(self, places: Iterable[int], *fields: str) -> set[str]:
        """Canaries of the records behind the link `up`, where these may be read."""
        if not self.shows("up"):
            return set()
        return self.texts({self.world.vaults[p]["up"] for p in places} & self.seen, fields)

    def peeked(self, places: Iterable[int]) -> set[str]:
        """What a lookup declared in metadata shows: it sees all rows."""
        ups = {self.world.vaults[p]["up"] for p in places}
        return {canary("alias", up) for up in ups} if self.shows("peek") else set()

    def peers(self, places: Iterable[int]) -> set[str]:
        if not self.shows("peers"):
            return set()
        return self.texts({q for p in places for q in self.world.vaults[p]["peers"]} & self.seen, ["name"])

    def letters(self, places: Iterable[int]) -> set[str]:
        return {canary("letter", p) for p in places} if self.shows("letter") else set()

    def lines(self, places: Iterable[int]) -> set[str]:
        if not self.shows("coins"):
            return set()
        kinds = ["mark"] if self.role.mode.hide_stamp else ["mark", "stamp"]
        return {canary(kind, p) for p in places for kind in kinds}

    def chest_texts(self, places: Iterable[int], *, behind: bool = True) -> set[str]:
        """Canaries of a list of chests: their own, and those of the vault they are in."""
        chests = set(places)
        found = {canary("label", p) for p in chests}
        if not self.role.mode.hide_inner:
            found |= {canary("inner", p) for p in chests}
        return found | (self.texts(chests & self.seen, ["name", "covert"]) if behind else set())

    def weight(self, places: Iterable[int]) -> int:
        return sum(1 << p for p in places)


def below(up: dict[int, int | None], start: int | None) -> set[int]:
    """`start` and all that is under it."""
    if start is None:
        return set()
    found = {start}
    while more := {i for i, above in up.items() if above in found} - found:
        found |= more
    return found
