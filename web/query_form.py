"""The form of the query builder as a tree: every node is named by its place, what was done to it is one button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from werkzeug.datastructures import MultiDict

from runtime.views.builder.tree import Collection, Condition, Group, Mode, Node, Written

MOST_NODES = 120
DEEPEST = 6
Form = MultiDict[str, str]


def tree_of_form(form: Form) -> Group:
    """What the form holds. `node` lists the nodes as `0.1:group`; the other inputs carry the node in their name."""
    words = dict(_split(text) for text in form.getlist("node")[:MOST_NODES])
    found = _node(form, words, "0") if words.get("0") == "group" else Group()
    return cast(Group, found)


def _split(text: str) -> tuple[str, str]:
    name, _, word = text.partition(":")
    return name, word


def _node(form: Form, words: dict[str, str], name: str) -> Node:
    word = words[name]
    below = sorted((n for n in words if n.rpartition(".")[0] == name), key=_place)
    if word == "group":
        mode = cast(Mode, form.get(f"m-{name}", "all"))
        return Group(mode=mode, items=tuple(_node(form, words, n) for n in below))
    if word == "written":
        return Written(text=form.get(f"t-{name}", "")[:4000])
    path = _path(form, name)
    changed = path != form.get(f"was-{name}", "")
    values: tuple[str, ...] = () if changed else tuple(form.getlist(f"v-{name}")[:50])
    if word == "collection" and not changed:
        inner = next((_node(form, words, n) for n in below if words[n] == "group"), Group())
        return Collection(
            path=path,
            measure=form.get(f"a-{name}", "any"),
            of=form.get(f"f-{name}", ""),
            operator=form.get(f"o-{name}", "ge"),
            values=values,
            inner=cast(Group, inner),
        )
    return Condition(path=path, operator=form.get(f"o-{name}", ""), values=values)


def _place(name: str) -> int:
    last = name.rpartition(".")[2]
    return int(last) if last.isascii() and last.isdigit() and len(last) < 6 else 0


def _path(form: Form, name: str) -> str:
    """The steps up to the first that differs from before: those behind it belonged to another path."""
    steps = form.getlist(f"p-{name}")[:8]
    was = form.get(f"was-{name}", "").split(".")
    for count, step in enumerate(steps):
        if not step or count >= len(was) or step != was[count]:
            steps = steps[: count + 1] if step else steps[:count]
            break
    return ".".join(steps)[:200]


# --- what a button does to the tree --------------------------------------------------------------------------------


def done(tree: Group, deed: str) -> Group:
    """The tree after `add:0.1`, `group:0`, `text:0`, `remove:0.2` or nothing."""
    what, _, name = deed.partition(":")
    places = [_place(part) if part else 0 for part in name.split(".")[1:]] if name else []
    if what == "remove" and places:
        return _changed(tree, places[:-1], lambda items: _without(items, places[-1]))
    made: dict[str, Node] = {"add": Condition(), "text": Written(), "group": Group(mode="any", items=(Condition(),))}
    if what in made and len(places) < DEEPEST:
        return _changed(tree, places, lambda items: (*items, made[what]))
    return tree


def _without(items: tuple[Node, ...], place: int) -> tuple[Node, ...]:
    return items[:place] + items[place + 1 :]


def _changed(node: Any, places: Sequence[int], change: Any) -> Any:
    """The node with the items of the group at `places` changed; a collection's only item is its group."""
    if isinstance(node, Collection):
        inner = _changed(node.inner, places[1:], change)
        return Collection(
            path=node.path,
            measure=node.measure,
            of=node.of,
            operator=node.operator,
            values=node.values,
            inner=inner,
        )
    if not isinstance(node, Group):
        return node
    if not places:
        return Group(mode=node.mode, items=change(node.items))
    items = tuple(_changed(item, places[1:], change) if at == places[0] else item for at, item in enumerate(node.items))
    return Group(mode=node.mode, items=items)
