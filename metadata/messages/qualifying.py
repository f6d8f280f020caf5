"""Problems of qualifications."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "qualification.field": Message(
        "“{name}”（{type}）不能存放审核结果",
        "“{name}” ({type}) cannot hold the outcome",
        "写一个没有公式的 select 字段。",
        "Name a select field without a formula.",
    ),
    "qualification.choice": Message(
        "选项集 {options} 里没有“{name}”",
        "{options} has no choice “{name}”",
        "可用：{known}。",
        "There are: {known}.",
    ),
    "qualification.same": Message(
        "合格与不合格都写作“{name}”",
        "Passed and failed are both “{name}”",
        "不合格要用另一个选项。",
        "Give failed a choice of its own.",
    ),
    "qualification.empty": Message(
        "审核没有任何条件",
        "The qualification has no criteria",
        "至少写一个条件。",
        "Give it at least one.",
    ),
    "qualification.no_points": Message(
        "要求全部满足时没有及格分数",
        "A pass mark means nothing where every criterion must be met",
        "写 method: points，或去掉 pass_mark。",
        "Say `method: points`, or leave `pass_mark` out.",
    ),
    "qualification.out_of_reach": Message(
        "及格分数 {mark} 高于所有条件的总分 {most}",
        "The pass mark {mark} is above the {most} points there are",
        "没有记录能合格；降低 pass_mark 或给条件加分。",
        "Nothing could ever pass: lower it, or give criteria more points.",
    ),
    "qualification.user": Message(
        "“{name}”取决于当前用户，审核结果对每个人都应相同",
        "“{name}” depends on who looks, and the outcome is the same for everybody",
        "去掉 user、has_role、in_unit；谁可以审核写在 by。",
        "Write it without user, has_role and in_unit; who may check is said by `by`.",
    ),
    "qualification.evidence": Message(
        "条件“{name}”是自动判断的，没有人能附证明文件",
        "Criterion “{name}” answers itself: nobody is there to attach a file",
        "去掉 evidence 或 holds。",
        "Remove `evidence` or `holds`.",
    ),
    "qualification.taken": Message(
        "条件不能叫“{name}”：审核时另有一项叫这个名字",
        "A criterion cannot be called “{name}”: the check itself asks for something of that name",
        "换一个名称；note、reason、evidence 以及“条件名_evidence”已被占用。",
        "Give it another name; note, reason, evidence and <criterion>_evidence are taken.",
    ),
    "qualification.hidden": Message(
        "“{name}”永远轮不到：排在它前面的“{other}”适用于所有记录",
        "“{name}” never gets its turn: “{other}” before it is for every record",
        "给“{other}”加 when，或调整 order。",
        "Give “{other}” a `when`, or change `order`.",
    ),
}
