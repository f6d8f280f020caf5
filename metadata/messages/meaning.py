"""Problems of meaning: options, fields, entities, formulas."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    # --- options, fields, entities
    "options.property_type": Message(
        "属性“{key}”的类型不一致：先是 {first}，这里是 {given}",
        "Property “{key}” has two types: {first} before, {given} here",
        "同一选项集里一个属性只有一种类型。",
        "A property has one type in all choices of a set.",
    ),
    "default.refused": Message(
        "“{field}”的默认值不合要求：{reason}",
        "The default of “{field}” cannot be its value: {reason}",
        "默认值必须是该类型的合法值；规则以 = 开头。",
        'Give a value of its type, or a rule beginning with "=".',
    ),
    "entity.empty": Message(
        "实体“{name}”没有字段",
        "Entity “{name}” has no fields",
        "至少声明一个字段。",
        "Declare at least one.",
    ),
    "entity.role_field": Message(
        "{key}: “{name}”应是指向 {entity} 的字段",
        "{key}: “{name}” must be a field that leads to {entity}",
        "owner 是 user 字段，unit 是指向 unit 的 link，tree 是指向自身的 link。",
        "`owner` names a user field, `unit` a link to unit, `tree` a link to the entity itself.",
    ),
    "entity.currency": Message(
        "“{name}”不能存放币种",
        "“{name}” cannot hold a currency",
        "用 currency 类型的字段。",
        "Name a field of type currency.",
    ),
    "entity.title": Message(
        "“{name}”（{type}）不能作标题",
        "“{name}” ({type}) cannot be a title",
        "选一个文本、数字或日期字段。",
        "Choose a text, number or date.",
    ),
    "number.part": Message(
        "编号样式里不认识 {part}",
        "The number pattern has an unknown part: {part}",
        "可用 {{yyyy}} {{yy}} {{MM}} {{dd}}、字段名，以及一个 {{seq:位数}}。",
        "Use {{yyyy}} {{yy}} {{MM}} {{dd}}, names of fields, and one {{seq:digits}}.",
    ),
    "number.sequence": Message(
        "编号样式“{pattern}”要有且只有一个 {{seq:位数}}",
        "The number pattern “{pattern}” needs one {{seq:digits}}",
        "例如 KH{{yyyy}}-{{seq:5}}。",
        "Such as KH{{yyyy}}-{{seq:5}}.",
    ),
    "number.field": Message(
        "“{name}”（{type}）不能存放编号",
        "“{name}” ({type}) cannot hold a number of records",
        "用 text 字段。",
        "Use a text field.",
    ),
    "field.no_column": Message(
        "“{name}”（{type}）没有自己的列，不能唯一或建索引",
        "“{name}” ({type}) has no column of its own to be unique or indexed",
        "去掉 unique 或 index。",
        "Remove `unique` or `index`.",
    ),
    "field.computed": Message(
        "“{name}”由公式计算，不能再有 {property}",
        "“{name}” is computed by its formula: {property} has no meaning there",
        "去掉 {property} 或 formula。",
        "Remove one of the two.",
    ),
    "field.through": Message(
        "“{name}”取自关系实体的记录，不能有 {property}",
        "“{name}” is read from the records of its pair: {property} has no meaning there",
        "去掉 {property}；请在 through 的实体中声明。",
        "Remove it; ask it of the entity named by `through`.",
    ),
    "field.keep": Message(
        "“{name}”没有公式，keep 无意义",
        "“{name}” has no formula to keep",
        "keep 只用于与时间有关的公式。",
        "`keep` belongs to formulas that depend on the time.",
    ),
    "field.tracked": Message(
        "“{name}”（{type}）不能 tracked",
        "“{name}” ({type}) cannot be tracked",
        "只有单选字段的变化进入阶段日志；其他字段看审计。",
        "Only select fields go to the stage log; the audit has the rest.",
    ),
    "field.secret": Message(
        "“{name}”是密钥，只进不出，这里不能用它",
        "“{name}” is a secret: it goes in and never comes out, so it cannot be used here",
        "密钥不能用于公式、条件、标题、编号、搜索、唯一、分组、排序和列。",
        "No formula, condition, title, number, search, unique, group, sort or column may name a secret.",
    ),
    "field.pattern": Message(
        "正则表达式不可用：{pattern}",
        "This regular expression cannot be used: {pattern}",
        "只支持线性时间的写法：不能用前后查找和反向引用。",
        "Only what runs in linear time: no look-around, no back-references.",
    ),
    "field.bound": Message(
        "“{value}”不能作 {type} 的界限",
        "“{value}” cannot be a bound of {type}",
        '写该类型的值，例如 0 或 "2026-01-01"。',
        'Give a value of the type, such as 0 or "2026-01-01".',
    ),
    "field.bounds": Message(
        "最小值 {min} 大于最大值 {max}",
        "The least value, {min}, is above the greatest, {max}",
        "对调或修改。",
        "Exchange or correct them.",
    ),
    "field.unmasked": Message(
        "“{name}”由敏感字段 {source} 计算，却标为不敏感",
        "“{name}” is computed from the sensitive {source} and says it is not sensitive",
        "确认不会泄露后可忽略。",
        "Make sure that it gives nothing away.",
    ),
    "field.unused": Message(
        "字段“{name}”不在 {entity} 的任何表单上，也没有被用到",
        "Field “{name}” of {entity} is on no form and used by nothing",
        "放到表单上，或标 retired: true。",
        "Place it on a form, or say `retired: true`.",
    ),
    "formula.cycle": Message(
        "公式互相循环引用：{fields}",
        "These formulas go round in a circle: {fields}",
        "打断其中一环。",
        "Break it at one place.",
    ),
    "formula.user": Message(
        "公式“{field}”不能用 user",
        "Formula “{field}” may not use user",
        "公式对所有人相同；与当前用户有关的条件写在视图、权限或 visible_when 里。",
        "A formula is the same for everyone; put it into a view, a scope or `visible_when`.",
    ),
    "name.was": Message(
        "以前的名称“{name}”与别的名称冲突",
        "The earlier name “{name}” is that of something else",
        "was: 只写确实用过、且现在没有别的字段占用的名称。",
        "`was:` holds names that were used before and that nothing else goes by now.",
    ),
    "lines.cycle": Message(
        "明细互为上级：{names}",
        "These lines belong to each other in a circle: {names}",
        "打断其中一环，改用 related。",
        "Break it at one place, with `related`.",
    ),
    "lines.two_parents": Message(
        "{entity} 已是另一个实体的明细",
        "{entity} is already the lines of another entity",
        "一个明细实体只属于一个上级；否则用 related。",
        "Lines belong to one parent; use `related` for the other.",
    ),
    "related.by": Message(
        "{entity} 的“{name}”不是指向 {target} 的字段",
        "“{name}” of {entity} does not lead to {target}",
        "by: 写成员中指回本实体的 link 字段。",
        "`by:` names the link of the members that leads back.",
    ),
    "related.none": Message(
        "{entity} 没有指向 {target} 的字段",
        "{entity} has no link to {target}",
        "在 {entity} 上加一个 link。",
        "Add a link there.",
    ),
    "related.several": Message(
        "{entity} 有多个字段指向 {target}：{links}",
        "{entity} has several links to {target}: {links}",
        "用 by: 指明是哪一个。",
        "Say which with `by:`.",
    ),
}
