"""People mentioned in the comments of approvals: told, once, where they may see the case; named where they may not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from runtime import actions
from runtime.errors import BadQuery
from tests.approvals.world import World


def named(world: World, **names: str) -> None:
    with world.site.session(write=True) as session:
        user = session.table("user")
        for login, name in names.items():
            session.connection.execute(sa.update(user).where(user.c.id == world.people[login]).values(name=name))


def notices(world: World, login: str) -> list[tuple[str, str | None]]:
    with world.site.session() as session:
        table = session.table("notification")
        wanted = sa.select(table.c.subject, table.c.body).where(table.c.recipient == world.people[login])
        return [(subject, body) for subject, body in session.connection.execute(wanted.order_by(table.c.id))]


def test_who_is_mentioned_in_a_comment_is_told_once(world: World) -> None:
    named(world, vp="王芳", mia="李雷")
    bill = world.create("ann", amount=500)
    world.submit("ann", bill)
    before = len(notices(world, "mia"))
    outcome = world.act("gm", "comment", bill, comment="请@王芳 看一下，@李雷 也看，mail x@王芳")
    assert outcome.message == "已留言。"
    assert notices(world, "vp") == [("Gm 在“One”中提到了您", "请@王芳 看一下，@李雷 也看，mail x@王芳")]
    assert [s for s, _ in notices(world, "mia")[before:]] == ["Gm 在“One”中提到了您"]  # not "commented" as well
    assert "新意见" in notices(world, "ann")[-1][0]  # the submitter is told of the comment as before


def test_who_may_not_see_the_case_is_not_told_and_the_author_learns_it(world: World) -> None:
    named(world, bob="韩梅", vp="王芳")
    bill = world.create("ann", amount=500)
    world.submit("ann", bill)
    outcome = world.act("mia", "approve", bill, comment="同意 @韩梅 @王芳")
    assert notices(world, "bob") == []
    assert [s for s, _ in notices(world, "vp")] == ["Mia 在“One”中提到了您"]
    assert outcome.message.endswith("未通知（无权查看）：韩梅。")


def test_one_of_two_with_the_same_name_is_told_who_was_chosen(world: World) -> None:
    named(world, vp="王芳", dan="王芳")
    bill = world.create("ann", amount=500)
    world.submit("ann", bill)
    world.act("mia", "comment", bill, comment="@王芳 请看")
    assert notices(world, "vp") == notices(world, "dan") == []  # nobody knows which
    world.act("mia", "comment", bill, comment="@王芳 请看", mention=[str(world.people["dan"]), "x", None])
    assert (len(notices(world, "dan")), notices(world, "vp")) == (1, [])
    world.act("mia", "comment", bill, comment="不看了", mention=[world.people["vp"]])
    assert notices(world, "vp") == []  # chosen, and taken out of the text again


def test_every_act_with_a_comment_mentions_and_no_other_takes_people(local: World) -> None:
    named(local, vp="王芳")
    bill = local.create("ann", amount=500)
    local.act("ann", "submit", bill, comment="请批")
    local.act("mia", "reject", bill, comment="@王芳 太贵")
    assert len(notices(local, "vp")) == 1
    local.act("ann", "submit", bill)
    with pytest.raises(BadQuery), local.site.session(local.people["ann"], write=True) as session:
        actions.run(session, "bill", bill, "withdraw", {"mention": [local.people["vp"]]})


def test_the_api_tells_which_asks_mention(local: World) -> None:
    bill = local.create("ann", amount=500)
    local.submit("ann", bill)
    with local.site.session(local.people["mia"]) as session:
        offers = {o.name: actions.plain_offer(o) for o in actions.offers(session, "bill", bill)}
    asks = {ask["name"]: ask for ask in offers["delegate"]["asks"]}
    assert asks["comment"]["mentions"] == "mention"
    assert "mentions" not in asks["person"]
