"""Problems of assignments and pools."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "assignment.empty": Message(
        "分配规则里没有规则",
        "The assignment has no rules",
        "至少写一条规则，例如 {name: rest, pick: {from: {role: sales_rep}}}。",
        "Write at least one rule, such as {name: rest, pick: {from: {role: sales_rep}}}.",
    ),
    "assignment.unreachable": Message(
        "规则“{name}”永远轮不到：“{before}”已经决定了一切",
        "The rule “{name}” is never reached: “{before}” decides everything before it",
        "把没有条件的 else 放在最后，或给它加上 when。",
        "Put the else without a condition last, or give it a when.",
    ),
    "assignment.both": Message(
        "规则“{name}”既选人又放入公海",
        "The rule “{name}” both picks a person and puts into a pool",
        "分成两条规则：先 pick，再 else。",
        "Make two rules of it: pick first, then else.",
    ),
    "assignment.no_owner": Message(
        "实体“{entity}”没有负责人字段",
        "The entity “{entity}” has no owner",
        "用 to 写明用户字段，或在实体上写 owner。",
        "Name the user field by to, or declare owner on the entity.",
    ),
    "assignment.field": Message(
        "字段“{name}”的类型不合适，这里需要 {wanted}",
        "The field “{name}” is of the wrong type: {wanted} is needed here",
        "换一个字段，或修改字段类型。",
        "Name another field, or change its type.",
    ),
    "assignment.strategy": Message(
        "没有叫“{name}”的选人方式",
        "No pick strategy is called “{name}”",
        "可用 round_robin、least_loaded、skill、weight、expression，或代码包注册的名称。",
        "There are round_robin, least_loaded, skill, weight, expression, and those that code packages register.",
    ),
    "assignment.needs": Message(
        "选人方式 {by} 需要写 {key}",
        "The pick strategy {by} needs {key}",
        "在 pick 里补上这一项。",
        "Add it to the pick.",
    ),
    "assignment.nobody": Message(
        "没有候选人",
        "There is nobody to pick from",
        "在 from 里写角色、团队、部门或用户。",
        "Name roles, teams, units or users in from.",
    ),
    "assignment.pool": Message(
        "公海“{name}”不属于实体“{entity}”",
        "The pool “{name}” is not one of the entity “{entity}”",
        "换成这个实体的公海。",
        "Name a pool of this entity.",
    ),
    "pool.choice": Message(
        "选项集“{options}”里没有“{name}”，字段“{field}”存不下这个公海",
        "The option set “{options}” has no choice “{name}”, so the field “{field}” cannot hold this pool",
        "在选项集中加入与公海同名的选项。",
        "Add a choice of the pool's name to the option set.",
    ),
    "pool.people": Message(
        "公海的成员不能取决于某条记录",
        "Who belongs to a pool cannot depend on a record",
        "写角色、团队、部门或用户。",
        "Name a role, team, unit or user.",
    ),
    "pool.since": Message(
        "回收要从日期或时间算起，这里是 {given}",
        "A return is counted from a date or a moment; this is {given}",
        "例如 coalesce(date(last_contact_at), created_on)。",
        "Such as coalesce(date(last_contact_at), created_on).",
    ),
    "pool.no_approver": Message(
        "领取须确认，但没有说由谁确认",
        "Claims wait for an approval, but nobody is named who gives it",
        "写 approval.by，或给公海写 managers。",
        "Say approval.by, or give the pool managers.",
    ),
    "pool.then_without_within": Message(
        "`then` 说的是超时后怎么办，但没有 `within`",
        "`then` says what happens when it is late, but there is no `within`",
        "写上期限，例如 within: 24wh。",
        "Give a time, such as within: 24wh.",
    ),
    "pool.mask": Message(
        "字段“{name}”不能遮蔽",
        "The field “{name}” cannot be masked",
        "可遮蔽实体自己存储的字段和明细；标题字段、唯一字段、多选、链接集合与实时公式不行。",
        "Stored fields of the entity and its lines can; its title, unique fields, several choices, sets of links "
        "and live formulas cannot.",
    ),
    "pool.mask_read": Message(
        "“{name}”被遮蔽，但 {reader} 会显示它",
        "“{name}” is masked, yet {reader} shows it",
        "去掉那个公式或引用，或不要遮蔽这个字段。",
        "Remove that formula or lookup, or leave the field unmasked.",
    ),
    "pool.loop": Message(
        "公海之间的转入成了环：{names}",
        "Records would go round between pools: {names}",
        "去掉其中一条 moves。",
        "Remove one of the moves.",
    ),
}
