"""Problems of rules about duplicates."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "duplicate.key": Message(
        "没有叫“{name}”的键，已有 {known}",
        "No key is called “{name}”; there are {known}",
        "写 keys 里声明过的键。",
        "Name a key that is declared in keys.",
    ),
    "duplicate.field": Message(
        "字段“{name}”（{type}）不能用来比较",
        "The field “{name}” ({type}) cannot be compared by",
        "用存储在记录上的文字、数字、日期、选项或链接字段。",
        "Name a stored field with a text, number, date, choice or link.",
    ),
    "duplicate.two_ways": Message(
        "键“{name}”有两种比较方式：{first} 与 {second}",
        "The key “{name}” is compared in two ways: {first} and {second}",
        "两边必须用同一种方式，只在 keys 里写 by。",
        "Both sides are compared in one way: say by in keys alone.",
    ),
    "duplicate.sensitive": Message(
        "敏感字段“{name}”不能透露",
        "The sensitive field “{name}” cannot be revealed",
        "从 reveal 里去掉它。",
        "Take it out of reveal.",
    ),
    "duplicate.never": Message(
        "各键分数之和 {sum} 达不到 {least}，永远不会重复",
        "The points of all keys are {sum} and never reach {least}",
        "提高 points，或降低 from。",
        "Raise the points, or lower from.",
    ),
    "duplicate.too_many": Message(
        "太多了，最多 {most} 项",
        "Too many: there can be {most}",
        "减少键，或用 match 写明需要的组合。",
        "Take fewer keys, or name the sets that matter in match.",
    ),
}
