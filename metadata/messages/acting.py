"""Problems of effects, workflows and reminders."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "effect.one_word": Message(
        "一个步骤只做一件事，这里是 {given}",
        "A step does one thing, and here is: {given}",
        "可用 {known}，或实体名称（新建一条记录）。",
        "Use one of {known}, or the name of an entity to create a record of it.",
    ),
    "effect.belongs": Message(
        "{key} 只能与 {words} 一起写",
        "{key} belongs to {words}",
        "去掉它，或换一种步骤。",
        "Remove it, or use another step.",
    ),
    "effect.wait": Message(
        "这里不能等待",
        "There is no waiting here",
        "等待只用于工作流的步骤。",
        "Only the steps of a workflow may wait.",
    ),
    "effect.no_record": Message(
        "{word} 需要一条记录，而这条规则没有实体",
        "{word} needs a record, and this rule has no entity",
        "给规则写上 entity，或用 create。",
        "Give the rule an entity, or create a record.",
    ),
    "effect.not_writable": Message(
        "“{name}”由系统计算，不能赋值",
        "“{name}” is computed by the system and cannot be set",
        "改它所依据的字段。",
        "Set what it is computed from.",
    ),
    "effect.not_several": Message(
        "“{name}”只有一个值，不能添加",
        "“{name}” holds one value: nothing can be added to it",
        "用 set 赋值。",
        "Use `set`.",
    ),
    "effect.missing": Message(
        "新建 {entity} 缺少必填字段：{fields}",
        "A new {entity} needs {fields}",
        "在 with 中写上；规则执行时没有登录的人，默认值 user 是空的。",
        "Give them in `with`; nobody is signed in when a rule acts, so a default of `user` is empty.",
    ),
    "effect.no_owner": Message(
        "{entity} 没有负责人字段",
        "{entity} has no owner",
        "在实体上声明 owner，或用 set。",
        "Declare `owner` on the entity, or use `set`.",
    ),
    "effect.no_address": Message(
        "“{name}”不能存放邮箱地址",
        "“{name}” cannot hold an e-mail address",
        "用 email 字段。",
        "Name an email field.",
    ),
    "effect.private_url": Message(
        "{url} 是内部地址，站点允许前不会调用",
        "{url} is an address inside: it is not called unless the site allows it",
        "在 config.yaml 中写 allow_private_addresses: true，或换公开地址。",
        "Say `allow_private_addresses: true` in config.yaml, or use a public address.",
    ),
    "effect.sensitive": Message(
        "敏感字段“{name}”不能发到外部",
        "“{name}” is sensitive and cannot be sent outside",
        "去掉它。",
        "Remove it.",
    ),
    "effect.unknown_function": Message(
        "没有名为“{name}”的步骤函数",
        "No effect function is called “{name}”",
        "由代码包用 effect_function 注册。",
        "Code packages register them with `effect_function`.",
    ),
    "effect.parameter": Message(
        "函数 {function} 没有参数“{name}”",
        "{function} takes no “{name}”",
        "它的参数：{known}。",
        "It takes: {known}.",
    ),
    "effect.parameter_type": Message(
        "参数“{name}”要 {wanted} 类型的值",
        "“{name}” takes a value of the type {wanted}",
        "写这个类型的常量，或以 = 开头的规则。",
        "Write a constant of that type, or a rule that begins with =.",
    ),
    "workflow.empty": Message(
        "工作流没有步骤",
        "The workflow has no steps",
        "至少写一个步骤。",
        "Give it at least one.",
    ),
    "workflow.trigger": Message(
        "触发方式应是 {known} 之一",
        "What sets it off is one of {known}",
        "每项只写一种触发方式；需要几种时写成列表。",
        "Say one of them; write a list where there are several.",
    ),
    "workflow.hook_entity": Message(
        "外部调用触发的工作流没有实体",
        "A workflow that is set off by a call is about no entity",
        "去掉 entity，用 create 新建记录，用 params 读参数。",
        "Remove `entity`; create records, and read what was sent from `params`.",
    ),
    "workflow.not_a_date": Message(
        "“{name}”不是日期或时间",
        "“{name}” is neither a date nor a moment",
        "写 date 或 datetime 字段。",
        "Name a date or datetime field.",
    ),
    "workflow.not_a_select": Message(
        "“{name}”不是单选字段",
        "“{name}” is no select",
        "move 用于单选字段；其他字段用 update。",
        "`move` is for selects; use `update` for others.",
    ),
    "workflow.cron": Message(
        "“{given}”不是可用的定时表达式",
        "“{given}” is no usable cron expression",
        "五段：分 时 日 月 周，例如 0 9 * * 1-5。",
        "Five parts: minute hour day month weekday, such as 0 9 * * 1-5.",
    ),
    "workflow.now": Message(
        "run: now 只能在新建、更新时给记录本身赋值",
        "`run: now` only sets fields of the record itself, when it is created or changed",
        "其他步骤去掉 run: now。",
        "Remove `run: now` for other steps.",
    ),
    "workflow.loop": Message(
        "这些工作流互相触发：{names}",
        "These workflows set each other off: {names}",
        "给其中一个加条件，或改为只在特定字段、特定阶段触发。",
        "Give one a condition, or let it be set off by certain fields or stages only.",
    ),
    "reminder.empty": Message(
        "提醒既没有收件人，也没有步骤",
        "The reminder tells nobody and does nothing",
        "写 to 或 then。",
        "Give `to` or `then`.",
    ),
    "reminder.since": Message(
        "since 应是日期或时间",
        "`since` must be a date or a moment",
        "写日期字段、表达式，或 {{entered: 字段}}。",
        "Give a date, an expression of one, or {{entered: a tracked field}}.",
    ),
    "reminder.not_tracked": Message(
        "“{name}”没有 tracked，不知道何时进入当前值",
        "“{name}” is not tracked, so nobody knows since when it has its value",
        "在字段上写 tracked: true。",
        "Say `tracked: true` on the field.",
    ),
    "reminder.after": Message(
        "没有 since 就不能写 {key}",
        "{key} needs `since`",
        "写 since，或去掉 {key}。",
        "Give `since`, or remove {key}.",
    ),
    "reminder.choice": Message(
        "“{name}”不是 {field} 的选项",
        "“{name}” is no choice of {field}",
        "按 by 字段的选项写时长。",
        "Give a duration for choices of the field named by `by`.",
    ),
    "reminder.escalation": Message(
        "升级的等待时间要逐级增加：{given}",
        "Escalations come later one after the other: {given}",
        "后一级的时间应更长。",
        "Let each come later than the one before.",
    ),
    "reminder.ring": Message(
        "第 {level} 级升级又回到前面已提醒的人",
        "Escalation {level} goes back to the people who were told before",
        "升级应交给更上一级：提高 level，或换成其他人。",
        "Escalate further up: raise `level`, or name others.",
    ),
    "reminder.count": Message(
        "按人统计的提醒不能有 {key}",
        "A reminder that counts by person takes no {key}",
        "去掉 {key}。",
        "Remove it.",
    ),
}
