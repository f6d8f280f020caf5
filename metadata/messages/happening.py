"""Problems of activities, timelines and next actions."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "activity.field": Message(
        "“{name}”（{type}）不能用在这里，需要 {wanted}",
        "“{name}” ({type}) does not fit here: {wanted} is due",
        "换一个该类型的字段。",
        "Name a field of that type.",
    ),
    "activity.done": Message(
        "done 需要 open：何时仍待完成",
        "`done` needs `open`: when it is still to be done",
        '例如 open: "not status.closed"。',
        'Such as `open: "not status.closed"`.',
    ),
    "activity.related": Message(
        "“{name}”（{type}）不是关联字段",
        "“{name}” ({type}) is no related field",
        "写类型为 related 的字段，例如 communications。",
        "Name a field of type related.",
    ),
    "activity.none": Message(
        "“{name}”的实体 {entity} 没有声明 activity，不能在这里写入",
        "{entity}, the entity of “{name}”, has no `activity:` and cannot be written here",
        "在该实体声明 activity: {{at: …}}，或去掉 log / plan。",
        "Give that entity an `activity: {{at: …}}`, or leave out `log` or `plan`.",
    ),
    "form.touch": Message(
        "“{name}”（{type}）不能用来联络",
        "Nobody is reached by “{name}” ({type})",
        "写 phone 或 email 字段，可经链接，例如 contact.mobile。",
        "Name a phone or email field, also over links: contact.mobile.",
    ),
}
