"""Problems of reading: files, names, shapes."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    # --- reading files
    "syntax.unreadable": Message(
        "文件读不出来：{reason}",
        "The file cannot be read: {reason}",
        "检查文件是否存在、是否有读取权限。",
        "Check that the file is there and may be read.",
    ),
    "syntax.too_large": Message(
        "文件超过 {limit}",
        "The file is larger than {limit}",
        "拆成多个文件；实体、布局、规则各放一个文件。",
        "Split it: one thing to a file.",
    ),
    "syntax.encoding": Message(
        "文件不是 UTF-8 编码",
        "The file is not UTF-8",
        "用编辑器另存为 UTF-8（常见的错误编码是 GBK、UTF-16）。",
        "Save it as UTF-8 (GBK and UTF-16 are the usual culprits).",
    ),
    "syntax.character": Message(
        "有不可用的字符 {character}",
        "A character that cannot be used: {character}",
        "删除该控制字符。",
        "Remove the control character.",
    ),
    "syntax.yaml": Message(
        "YAML 写法有误：{detail}",
        "This is not YAML: {detail}",
        "检查缩进、冒号、引号与括号是否成对。",
        "Check indentation, colons, and that quotes and brackets close.",
    ),
    "syntax.tab": Message(
        "缩进用了制表符（Tab）",
        "A tab is used to indent",
        "YAML 只能用空格缩进。",
        "YAML is indented by spaces only.",
    ),
    "syntax.tag": Message(
        "不能使用标签 {tag}",
        "Tags are not used here: {tag}",
        "删除以 ! 开头的标签；类型由内容决定。",
        "Remove what begins with `!`; types follow from the content.",
    ),
    "syntax.anchor": Message(
        "不能使用锚点（&）",
        "Anchors (&) are not used here",
        "需要重复的内容请直接写出；文本以 & 开头时加引号。",
        "Write the content out; quote a text that begins with `&`.",
    ),
    "syntax.alias": Message(
        "不能使用引用（*）",
        "Aliases (*) are not used here",
        "需要重复的内容请直接写出；文本以 * 开头时加引号。",
        "Write the content out; quote a text that begins with `*`.",
    ),
    "syntax.merge": Message(
        "不能使用合并键 <<",
        "The merge key << is not used here",
        "需要重复的内容请直接写出。",
        "Write the content out.",
    ),
    "syntax.duplicate_key": Message(
        "“{key}”写了两次",
        "“{key}” is given twice",
        "同一层里每个键只能写一次，删掉其中一个。",
        "A key stands once in a map: remove one of the two.",
    ),
    "syntax.key": Message(
        "键必须是非空文本",
        "A key must be a text that is not empty",
        "检查冒号前的内容。",
        "Look at what stands before the colon.",
    ),
    "syntax.number": Message(
        "数字超出可用范围：{number}",
        "This number is out of range: {number}",
        "最多 18 位；若是文本，请加引号。",
        "At most 18 digits; quote it if it is meant as a text.",
    ),
    "syntax.too_deep": Message(
        "嵌套超过 {limit} 层",
        "Nested deeper than {limit} levels",
        "检查括号是否成对。",
        "Check that brackets close.",
    ),
    "syntax.two_documents": Message(
        "同一份文档里出现两份内容",
        "Two documents without --- between them",
        "用单独一行的 --- 分开。",
        "Put a line with --- between them.",
    ),
    "syntax.directive": Message(
        "不能使用 % 指令",
        "Directives (%) are not used here",
        "删除以 % 开头的行。",
        "Remove the line that begins with %.",
    ),
    # --- documents and names
    "document.not_a_map": Message(
        "文档应是“键: 值”的形式，第一行说明它是什么",
        "A document is a map whose first key says what it is",
        "例如第一行写 entity: customer。",
        "Begin with a line such as `entity: customer`.",
    ),
    "document.name": Message(
        "“{kind}”后面应是名称，例如 {example}",
        "A name must follow “{kind}”, such as {example}",
        "名称用小写英文字母、数字和下划线。",
        "Names are made of a–z, 0–9 and _.",
    ),
    "document.twice": Message(
        "{kind} “{name}”声明了两次",
        "{kind} “{name}” is declared twice",
        "删掉或改名其中一个。布局可以用 for: 或 on: 区分角色、设备。",
        "Remove or rename one. Layouts may differ by `for:` a role or `on:` a device.",
    ),
    "document.redeclared": Message(
        "{kind} “{name}”在下层已声明",
        "{kind} “{name}” is already declared by a layer below",
        "要改动它请写 extend: 而不是重新声明。",
        "Use `extend:` to change it.",
    ),
    "kind.unknown": Message(
        "没有“{kind}”这种文档",
        "There is no kind of document called “{kind}”",
        "文档的第一个键说明它是什么，见元数据语言手册的种类表。",
        "The first key says what it is; the manual lists the kinds.",
    ),
    "kind.later": Message(
        "“{kind}”这种文档在本版本中还不支持",
        "This kind, “{kind}”, comes later: this version does not do it yet",
        "先移除该文档；升级后再加入。",
        "Leave the document out until you upgrade.",
    ),
    "property.later": Message(
        "{kind} 的“{key}”在本版本中还不支持",
        "“{key}” of {kind} comes later: this version does not do it yet",
        "先移除该属性。",
        "Leave the property out until you upgrade.",
    ),
    "name.invalid": Message(
        "“{name}”不能作名称",
        "“{name}” cannot be a name",
        "名称以小写英文字母开头，只含 a–z、0–9、_，最长 41 个字符，不含 __，不以 _ 结尾。显示的文字写在 label 中。",
        "Names begin with a–z, are made of a–z, 0–9 and _, have at most 41 characters, no __ and no _ at the end. "
        "What people see goes into `label`.",
    ),
    "name.reserved": Message(
        "“{name}”是保留名称",
        "“{name}” is a reserved name",
        "换一个名称，例如 from_stage、person。",
        "Choose another, such as from_stage or person.",
    ),
    "name.twice": Message(
        "“{name}”出现了两次",
        "“{name}” stands twice",
        "同一列表中的名称不能重复。",
        "Names in one list differ.",
    ),
    "name.unknown": Message(
        "找不到{kind}“{name}”",
        "There is no {kind} called “{name}”",
        "检查拼写，或先声明它。",
        "Check the spelling, or declare it.",
    ),
    "name.unknown_field": Message(
        "{entity} 没有字段“{name}”",
        "{entity} has no field “{name}”",
        "检查拼写；改过名的字段用新名称。",
        "Check the spelling; a renamed field goes by its new name.",
    ),
    "path.not_a_link": Message(
        "“{name}”不是指向另一条记录的字段，后面不能再接“.”",
        "“{name}” does not lead to another record: nothing may follow its dot",
        "只有 link、user 等字段后面可以接点号。",
        "Dots follow link and user fields only.",
    ),
    # --- shape
    "shape.unknown_key": Message(
        "不认识的键“{key}”",
        "Unknown key “{key}”",
        "可用的键：{known}",
        "Keys that may stand here: {known}",
    ),
    "shape.deprecated": Message(
        "键“{key}”已改名",
        "The key “{key}” has another name now",
        "请改写为“{replacement}”；旧的写法仍可读取，以后的版本会去掉。",
        "Write “{replacement}”. The old key is still read; a later version will no longer.",
    ),
    "shape.quote_expression": Message(
        "“{key}”不该是键：含逗号的文本要加引号",
        "“{key}” cannot be a key: quote the expression or text",
        '花括号里未加引号的表达式或文字会在逗号处被截断，请加引号：{{when: "min(a, b) > 3"}}。',
        'Inside braces an unquoted expression or text is cut at its commas: write {{when: "min(a, b) > 3"}}.',
    ),
    "shape.required": Message(
        "缺少“{key}”",
        "“{key}” is missing",
        "补上这个键。",
        "Add the key.",
    ),
    "shape.type": Message(
        "这里应是 {expected}，写的是 {given}",
        "This must be {expected}, not {given}",
        "string 文本，integer 整数，boolean 即 true/false，array 列表，object 键值。表达式要加引号。",
        "Expressions and texts that begin with a special character are quoted; true and false are the only booleans.",
    ),
    "shape.one_of": Message(
        "“{given}”不行",
        "“{given}” will not do",
        "可选：{known}",
        "One of: {known}",
    ),
    "shape.pattern": Message(
        "“{given}”的写法不对",
        "“{given}” is not written as it must be",
        "名称用小写英文字母、数字和下划线；路径用点号连接。",
        "Names are made of a–z, 0–9 and _; paths join them by dots.",
    ),
    "shape.too_small": Message(
        "{given} 太小，至少 {limit}",
        "{given} is too small: at least {limit}",
        "改成范围内的数。",
        "Give a number within the bounds.",
    ),
    "shape.too_large": Message(
        "{given} 太大，最多 {limit}",
        "{given} is too large: at most {limit}",
        "改成范围内的数。",
        "Give a number within the bounds.",
    ),
    "shape.too_long": Message(
        "文本太长，最多 {limit} 个字符",
        "The text is too long: at most {limit} characters",
        "缩短文本。",
        "Shorten it.",
    ),
    "shape.too_many": Message(
        "项目太多，最多 {limit} 个",
        "Too many items: at most {limit}",
        "减少项目。",
        "Take some out.",
    ),
    "shape.empty": Message(
        "这里不能为空",
        "This may not be empty",
        "填写内容，或删去这个键。",
        "Fill it, or leave the key out.",
    ),
    "shape.twice": Message(
        "列表里有重复的项",
        "An item stands twice in the list",
        "删掉重复的项。",
        "Remove one of them.",
    ),
    "shape.wrong": Message(
        "结构不对：{detail}",
        "This is not of the right shape: {detail}",
        "对照手册中的例子。",
        "Compare with the example in the manual.",
    ),
}
