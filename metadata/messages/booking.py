"""Problems of ledgers, numbers, prices and conversions."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "ledger.lines": Message(
        "“{name}”是另一实体的明细，不能作台账",
        "“{name}” are lines of another entity and cannot be a ledger",
        "明细随主记录改动；台账的分录只增不改。请用独立的实体。",
        "Lines change with their record, entries never do. Use an entity of its own.",
    ),
    "ledger.dimension": Message(
        "“{name}”不能作台账维度",
        "“{name}” cannot be a dimension of a ledger",
        "维度要有自己的列，并声明 required: true。",
        "A dimension has a column of its own and says `required: true`.",
    ),
    "ledger.once": Message(
        "“{name}”不能作幂等键",
        "“{name}” cannot be part of what is booked once",
        "选有自己的列、不是公式的字段。",
        "Choose fields with a column of their own.",
    ),
    "ledger.balance": Message(
        "“{name}”（{type}）不能作台账数量",
        "“{name}” ({type}) cannot be summed up as a balance",
        "用 integer、decimal 或 money 字段，不能是公式。",
        "Use an integer, decimal or money field that is no formula.",
    ),
    "ledger.link": Message(
        "台账的链接“{name}”只能是 on_delete: refuse",
        "The link “{name}” of a ledger can only be `on_delete: refuse`",
        "分录不改也不删，被引用的记录不能先消失。",
        "Entries are never changed or removed, so what they point to stays.",
    ),
    "ledger.left": Message(
        "“{name}”不能存放批次余量",
        "“{name}” cannot hold what is left of a lot",
        "用与数量同类型、readonly: true 的字段。",
        "Use a field of the type of the balance that says `readonly: true`.",
    ),
    "ledger.expires": Message(
        "“{name}”不是日期字段",
        "“{name}” is no date",
        "到期日用 date 字段。",
        "The last day of a lot is a date field.",
    ),
    "ledger.reversal": Message(
        "“{name}”不能指向被冲销的分录",
        "“{name}” cannot name the entry that is taken back",
        "用指向本实体、unique: true 的 link：一笔分录只冲销一次。",
        "Use a link to the entity itself that says `unique: true`: an entry is taken back once.",
    ),
    "ledger.into": Message(
        "“{name}”不能存放余额：字段“{field}”不相同",
        "“{name}” cannot hold the balances: its “{field}” is not that of the entries",
        "余额实体要有同名同类型的维度字段与数量字段，自己不是台账。",
        "It has the fields of the key and of the sum, of the same types, and is no ledger itself.",
    ),
    "ledger.into_unique": Message(
        "余额实体“{name}”须声明 unique: [[{fields}]]",
        "The entity of balances “{name}” needs `unique: [[{fields}]]`",
        "每个维度组合只有一条余额。",
        "There is one balance for a key.",
    ),
    "conversion.nothing": Message(
        "转换“{name}”没有生成任何记录",
        "Conversion “{name}” makes nothing",
        "在 to 下声明至少一个目标。",
        "Declare a target under `to`.",
    ),
    "conversion.target": Message(
        "没有先生成的目标“{name}”（有 {known}）",
        "No target “{name}” is made before (there are {known})",
        "目标按书写顺序生成，只能指向前面的。",
        "Targets are made in the order they are written; name an earlier one.",
    ),
    "conversion.no_back": Message(
        "{word} 需要目标“{name}”声明 back",
        "`{word}` needs the `back` link of target “{name}”",
        "结果要有指回来源的链接，才知道是否已转。",
        "The result links back to its source: that is how it is known.",
    ),
    "conversion.lines_alone": Message(
        "“{name}”是明细，不能单独生成",
        "“{name}” are lines and are not made alone",
        "生成它的主记录，并在 lines 下对应明细。",
        "Make the record they belong to, and map them under its `lines`.",
    ),
    "conversion.no_lines": Message(
        "“{name}”不是目标的明细字段",
        "“{name}” is no lines field of the target",
        "写类型为 lines 的字段。",
        "Name a field of type lines.",
    ),
    "conversion.no_collection": Message(
        "来源的“{name}”不是明细或关联记录",
        "“{name}” of the source is no collection",
        "写 lines 或 related 字段。",
        "Name a lines or related field.",
    ),
    "conversion.quantity": Message(
        "“{name}”不是数量字段",
        "“{name}” is no quantity",
        "用 integer 或 decimal 字段。",
        "Use an integer or decimal field.",
    ),
    "conversion.left": Message(
        "quantity 与 left 要一起写",
        "`quantity` and `left` belong together",
        "left 说明还剩多少，quantity 存放取走多少。",
        "`left` says how much there is, `quantity` holds how much is taken.",
    ),
    "conversion.link": Message(
        "“{name}”不是指向 {entity} 的链接",
        "“{name}” is no link to {entity}",
        "写指向该实体的 link 字段。",
        "Name a link to that entity.",
    ),
    "conversion.undo": Message(
        "undo 需要 set：撤销后结果的固定取值",
        "`undo` needs `set`: the plain values of a result that is undone",
        "例如 set: {{status: cancelled}}。",
        "Such as `set: {{status: cancelled}}`.",
    ),
    "pricing.field": Message(
        "“{name}”（{type}）不能用在这里，需要 {wanted}",
        "“{name}” ({type}) does not fit here: {wanted} is due",
        "换一个该类型、不是公式的字段。",
        "Name a field of that type that is no formula.",
    ),
    "pricing.method": Message(
        "不认识的定价方法“{name}”",
        "Unknown way to make a price: “{name}”",
        "方法字段的选项只能是 {known}。",
        "The choices of the method are some of {known}.",
    ),
    "pricing.choose": Message(
        "这里的 choose 不能这样写",
        "`choose` has another meaning here",
        "可用 {known}。",
        "Use one of {known}.",
    ),
    "pricing.match": Message(
        "“{name}”没有单一的值，不能用来匹配",
        "“{name}” has no single value to match by",
        "选 link、select、text 等字段。",
        "Use a link, select or text field.",
    ),
    "pricing.no_floor": Message(
        "below_floor: refuse 需要 floor",
        "`below_floor: refuse` needs a `floor`",
        "声明底价。",
        "Say what the lowest price is.",
    ),
    "pricing.computed": Message(
        "定价读取了明细自己的公式字段“{name}”，那时它还没有重算",
        "The price reads “{name}”, a formula of the line, which is computed after prices are decided",
        "直接写出公式的内容，例如 quantity * coalesce(pack.factor, 1)。",
        "Write what it is made of instead, such as quantity * coalesce(pack.factor, 1).",
    ),
    "number.check": Message(
        "校验位要同时写 check 与一个 {{check}}",
        "A check digit takes both `check` and one {{check}} in the pattern",
        "算法有 {known}。",
        "Algorithms: {known}.",
    ),
    "number.digits": Message(
        "“{given}”不是流水号的样式",
        "“{given}” is no pattern of digits",
        "只用数字、*（任意多位）和 ?（一位），例如 *4*、*888、000666。",
        "Use digits, * for any number of digits and ? for one, such as *4*, *888, 000666.",
    ),
    "number.all_skipped": Message(
        "“{given}”会跳过所有号码",
        "“{given}” would skip every number",
        "样式里至少写一个数字。",
        "Name at least one digit.",
    ),
}
