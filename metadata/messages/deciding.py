"""Problems of rules that decide: people, durations, and what the kinds share."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "who.not_a_person": Message(
        "“{name}”不指向 {wanted}",
        "“{name}” does not lead to {wanted}",
        "写 user 字段，或沿链接到 user 字段的路径，例如 owner、customer.owner。",
        "Name a user field, or a path over links to one, such as owner or customer.owner.",
    ),
    "who.included": Message(
        "included 只与 role 一起使用",
        "included belongs to a role",
        "写成 {{role: 角色名, included: true}}，或删去 included。",
        "Write {{role: name, included: true}}, or leave included out.",
    ),
    "who.one_way": Message(
        "人员只能用一种方式指定，这里有 {given}",
        "People are named in one way, and here are several: {given}",
        "保留其中一个。需要几个人时写成列表。",
        "Keep one of them; write a list where several are meant.",
    ),
    "duration.wrong": Message(
        "“{given}”不是时长",
        "“{given}” is no duration",
        "例如 30m、24h、3d、2w；工作时间写 24wh、3wd。",
        "Such as 30m, 24h, 3d, 2w; in working time 24wh, 3wd.",
    ),
}
