"""Problems of the whole: layouts, reports, roles, overlays, packages."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    # --- layouts, reports, roles
    "layout.nothing": Message(
        "页签“{name}”是空的",
        "Tab “{name}” is empty",
        "给它 sections 或 related。",
        "Give it sections or `related`.",
    ),
    "layout.related": Message(
        "“{name}”不是相关记录或明细字段",
        "“{name}” is not a field of related records or lines",
        "related: 写 related、lines 或 links 字段。",
        "`related:` names a related, lines or links field.",
    ),
    "layout.total": Message(
        "“{name}”不是数字，不能 {total}",
        "“{name}” is not a number: it has no {total}",
        "只有 count 可用于非数字列。",
        "Other columns can only be counted.",
    ),
    "report.empty": Message(
        "报表既没有指标也没有列",
        "The report has neither measures nor columns",
        "写 measures: 或 columns:。",
        "Give it `measures:` or `columns:`.",
    ),
    "report.axis": Message(
        "“{name}”不是本报表的分组或指标",
        "“{name}” is neither a group nor a measure of this report",
        "写分组或指标的名称。",
        "Name a group or a measure.",
    ),
    "report.bucket": Message(
        "“{name}”不是日期，不能按 {bucket} 分段",
        "“{name}” is not a date: it has no {bucket}",
        "只有日期字段可以按年月日分段。",
        "Only dates and times are grouped by periods.",
    ),
    "form.required": Message(
        "表单上没有必填字段“{name}”",
        "The required field “{name}” is not on the form",
        "放到表单上，或给它默认值，否则无法新建记录。",
        "Place it, or give it a default: nobody could create a record.",
    ),
    "options.unused": Message(
        "选项集“{name}”没有被用到",
        "Option set “{name}” is used by nothing",
        "删掉它，或标 retired: true。",
        "Remove it, or say `retired: true`.",
    ),
    "role.scope": Message(
        "没有“{name}”这种范围",
        "There is no scope called “{name}”",
        "可用 {known}，或以 = 开头的表达式。",
        'One of {known}, or an expression beginning with "=".',
    ),
    "role.rule_for_all": Message(
        "“*”不能用表达式作范围",
        "The grant for * cannot be limited by an expression",
        "按实体分别写。",
        "Write it for each entity.",
    ),
    "role.no_owner": Message(
        "{entity} 没有负责人，范围 {scope} 里没有记录",
        "{entity} has no owner: scope {scope} holds no records",
        "在实体上声明 owner:（或 unit:），或换一个范围。",
        "Declare `owner:` (or `unit:`) on the entity, or choose another scope.",
    ),
    "role.cycle": Message(
        "角色互相包含：{names}",
        "These roles include each other: {names}",
        "打断其中一环。",
        "Break it at one place.",
    ),
    "role.nobody": Message(
        "没有任何角色可以{operation}{entity}",
        "No role may {operation} {entity}",
        "在某个角色的 grants 中授权。",
        "Grant it to a role.",
    ),
    "text.unknown_language": Message(
        "“{language}”不是语言代码，这段文字不会显示",
        "“{language}” is the code of no language: the text is never shown",
        "中文写 zh，英文写 en。",
        "Chinese is `zh`, English `en`.",
    ),
    "text.missing_language": Message(
        "缺少 {language} 的文字",
        "The text is missing in {language}",
        "补上翻译，例如 {{zh: 客户, en: Customer}}。",
        "Add it, as in {{zh: 客户, en: Customer}}.",
    ),
    # --- overlays and packages
    "extend.unknown": Message(
        "要扩展的{kind}“{name}”不存在",
        "There is no {kind} called “{name}” to extend",
        "检查拼写；它可能已改名或被移除。",
        "Check the spelling; it may have been renamed or removed.",
    ),
    "extend.anchor": Message(
        "这里没有“{name}”，{where}: 无从摆放",
        "There is no “{name}” here for `{where}:` to point at",
        "after:/before: 写同一列表中的名称。",
        "`after:` and `before:` name an item of the same list.",
    ),
    "extend.hide": Message(
        "“{name}”不存在，无需隐藏",
        "“{name}” is not here to be hidden",
        "删掉这一项，或检查拼写。",
        "Remove it, or check the spelling.",
    ),
    "extend.retype": Message(
        "“{name}”的类型由 {below} 改成 {above}，但下层已改变",
        "“{name}” is {below} below and {above} here",
        "扩展不能改变字段类型；请另加字段。",
        "An extension cannot change the type of a field: add another.",
    ),
    "extend.conflict": Message(
        "两个互不依赖的扩展包给“{path}”不同的值",
        "Two packages that do not know each other set “{path}” differently",
        "在站点层写明用哪个值，或让一个包依赖另一个。",
        "Decide in the site layer, or let one package require the other.",
    ),
    "extend.field_type": Message(
        "新字段“{name}”没有类型",
        "The new field “{name}” has no type",
        "新增字段写 type:；若要改已有字段，检查拼写。",
        "A new field needs `type:`; to change one, check the spelling.",
    ),
    "package.missing": Message(
        "扩展包 {package} 需要 {name}，但没有安装",
        "Package {package} needs {name}, which is not installed",
        "先安装它。",
        "Install it first.",
    ),
    "package.version": Message(
        "扩展包 {package} 需要 {name} {wanted}，现有 {found}",
        "Package {package} needs {name} {wanted}, not {found}",
        "升级或降级其中之一。",
        "Upgrade or downgrade one of them.",
    ),
    "package.version_number": Message(
        "“{version}”不是版本号",
        "“{version}” is not a version",
        '按 PEP 440 写，例如 "1.2.0"，要加引号。',
        'Write it by PEP 440, quoted: "1.2.0".',
    ),
    "package.range": Message(
        "“{wanted}”不是版本范围",
        "“{wanted}” is not a range of versions",
        '例如 ">=1.0,<2"。',
        'Such as ">=1.0,<2".',
    ),
    "package.cycle": Message(
        "扩展包互相依赖：{names}",
        "These packages need each other: {names}",
        "打断其中一环。",
        "Break it at one place.",
    ),
    "package.twice": Message(
        "一个层里有两份 package 文档",
        "A layer has two package documents",
        "只留一份。",
        "Keep one.",
    ),
}
