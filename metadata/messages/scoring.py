"""Problems of scores."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "score.range": Message(
        "分数范围 {low} 到 {high} 是空的",
        "The range from {low} to {high} is empty",
        "先写最低分，再写最高分。",
        "Write the least score first, then the greatest.",
    ),
    "score.empty": Message(
        "评分没有任何评分项",
        "The score has no parts",
        "至少写一项：points、bands 或 choices。",
        "Give it at least one, with points, bands or choices.",
    ),
    "score.how": Message(
        "评分项“{name}”要用 points、bands、choices 之一给分，这里有：{given}",
        "Part “{name}” gives points in exactly one way: points, bands or choices; here: {given}",
        "只留一种。",
        "Keep one of them.",
    ),
    "score.of": Message(
        "评分项“{name}”：bands 和 choices 要有 of，其他写法不用",
        "Part “{name}”: bands and choices need `of`, nothing else takes it",
        "of: 写要看的字段或表达式。",
        "`of` names the value that ranges or choices look at.",
    ),
    "score.not_a_number": Message(
        "分段要看一个数，这里是 {type}",
        "Ranges look at a number, and this is {type}",
        "写数值字段或表达式；按选项给分用 choices。",
        "Name a number; points by choice are written with `choices`.",
    ),
    "score.not_a_choice": Message(
        "choices 要看单选字段或文本，这里是 {type}",
        "`choices` looks at a select or a text, and this is {type}",
        "数值用 bands，其他情况用 when。",
        "Use `bands` for numbers and `when` for anything else.",
    ),
    "score.choice": Message(
        "选项集 {options} 里没有“{name}”",
        "{options} has no choice “{name}”",
        "可用：{known}。",
        "There are: {known}.",
    ),
    "score.band": Message(
        "分段 {bounds} 里没有任何数",
        "No number lies in the range {bounds}",
        "from 要小于 to，两者至少写一个。",
        "`from` is less than `to`, and at least one of them is given.",
    ),
    "score.overlap": Message(
        "分段重叠：{first} 与 {second}",
        "These ranges overlap: {first} and {second}",
        "from 含、to 不含：下一段从上一段的 to 开始。",
        "`from` is included and `to` is not: let a range begin where the one before ends.",
    ),
    "score.segment": Message(
        "细分“{name}”不属于 {entity}",
        "Segment “{name}” is not about {entity}",
        "换成同一实体的细分，或写 when。",
        "Name a segment of the same entity, or write `when`.",
    ),
    "score.user": Message(
        "评分项“{name}”取决于当前用户，分数对每个人都应相同",
        "Part “{name}” depends on who looks, and a score is the same for everybody",
        "去掉 user、has_role、in_unit。",
        "Write it without user, has_role and in_unit.",
    ),
    "score.too_complex": Message(
        "评分项“{name}”嵌套太深，数据库可能拒绝",
        "Part “{name}” nests too deep for the databases",
        "把其中一部分做成公式字段，再引用它。",
        "Make a formula field of some of it and read that.",
    ),
    "score.same_grade": Message(
        "等级“{name}”与“{other}”从同一分数开始",
        "Grades “{name}” and “{other}” begin at the same score",
        "每个等级的 from 要不同。",
        "Give each grade a `from` of its own.",
    ),
    "score.unreachable": Message(
        "没有记录能得到等级“{name}”",
        "No record can ever have grade “{name}”",
        "没有任何分数落在这一等级；检查 from、分值与 range。",
        "No possible score lies in it: look at `from`, the points and the range.",
    ),
    "score.ungraded": Message(
        "分数可以低到 {least}，而最低的等级从 {lowest} 开始",
        "Scores go down to {least}, and the lowest grade begins at {lowest}",
        "低于它的记录没有等级；给最低等级一个更小的 from。",
        "Records below it have no grade; let the lowest one begin lower.",
    ),
    "score.no_field": Message(
        "{entity} 没有字段存放评分“{name}”",
        "No field of {entity} holds score “{name}”",
        "加一个字段：{{type: score, score: {name}}}。",
        "Add a field: {{type: score, score: {name}}}.",
    ),
    "score.other_entity": Message(
        "评分“{name}”是 {entity} 的",
        "Score “{name}” is about {entity}",
        "评分字段要放在评分所属的实体上。",
        "Its field belongs to that entity.",
    ),
    "score.twice": Message(
        "评分“{name}”已有一个字段存放",
        "Score “{name}” has such a field already",
        "一个评分只用一个 score 字段和一个 grade 字段。",
        "A score has one field of type score and one of type grade.",
    ),
    "grade.no_score": Message(
        "评分“{name}”没有 score 字段，等级无从得出",
        "Score “{name}” has no field of type score that a grade could be read from",
        "先加 {{type: score, score: {name}}} 字段。",
        "Add a field {{type: score, score: {name}}} first.",
    ),
    "grade.none": Message(
        "评分“{name}”没有声明等级",
        "Score “{name}” declares no grades",
        "在评分里写 grades:。",
        "Write `grades:` in the score.",
    ),
}
