"""Qualification: what checks answer and explanations say."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "qualification.check": {"zh": "资格审核", "en": "Check qualification"},
        "qualification.pass_specially": {"zh": "特殊处理", "en": "Pass specially"},
        "qualification.passed": {"zh": "合格", "en": "passed"},
        "qualification.failed": {"zh": "不合格", "en": "failed"},
        "qualification.special": {"zh": "特殊合格", "en": "passed specially"},
        "qualification.answer_passed": {"zh": "满足", "en": "Met"},
        "qualification.answer_failed": {"zh": "不满足", "en": "Not met"},
        "qualification.answer_open": {"zh": "未知", "en": "Not known"},
        "qualification.waive": {"zh": "特殊处理（豁免）", "en": "Waive"},
        "qualification.result_passed": {"zh": "满足", "en": "met"},
        "qualification.result_failed": {"zh": "不满足", "en": "not met"},
        "qualification.result_waived": {"zh": "特殊处理", "en": "waived"},
        "qualification.result_open": {"zh": "未知", "en": "not known"},
        "qualification.points": {"zh": "{points} 分", "en": "{points} points"},
        "qualification.note": {"zh": "备注", "en": "Note"},
        "qualification.reason": {"zh": "特殊处理理由", "en": "Reason for special handling"},
        "qualification.evidence": {"zh": "证明文件", "en": "Evidence"},
        "qualification.said": {"zh": "{rule}：{word}。", "en": "{rule}: {word}."},
        "qualification.said_short": {
            "zh": "{rule}：{word}。未满足：{short}。",
            "en": "{rule}: {word}. Not met: {short}.",
        },
        "qualification.points_short": {"zh": "得分 {score}，需要 {mark}", "en": "{score} points of the {mark} needed"},
        "qualification.not_applicable": {
            "zh": "没有适用于这条记录的资格审核规则。",
            "en": "No qualification applies to this record.",
        },
        "qualification.not_you": {
            "zh": "您不能审核这条记录。",
            "en": "You are not one of those who may check this record.",
        },
        "qualification.hidden": {"zh": "您无权查看审核结果。", "en": "You may not see the outcome."},
        "qualification.hidden_criterion": {
            "zh": "取决于您无权查看的字段",
            "en": "It depends on fields that you may not see",
        },
        "qualification.by_hand": {"zh": "由审核人判断", "en": "Answered by the one who checks"},
        "qualification.still_unmet": {
            "zh": "仍不能通过，未满足：{items}。",
            "en": "It does not pass yet; not met: {items}.",
        },
        "qualification.unmet": {
            "zh": "不能设为合格，未满足：{items}。请先做资格审核“{rule}”。",
            "en": "It cannot be set to qualified; not met: {items}. Check it by “{rule}” first.",
        },
        "qualification.needs_check": {
            "zh": "此项由资格审核“{rule}”决定，请使用“资格审核”操作。",
            "en": "The check “{rule}” decides this; use the action “Check qualification”.",
        },
        "qualification.no_rule": {
            "zh": "此项只由资格审核改变，而没有规则适用于这条记录。",
            "en": "Only a qualification check changes this, and none applies to this record.",
        },
        "qualification.grant_rule": {
            "zh": "没有叫“{name}”的资格审核规则；可用：{known}。",
            "en": "There is no qualification called “{name}”; there are: {known}.",
        },
        "qualification.grant_segment": {
            "zh": "这些规则所审核的对象没有叫“{name}”的细分；可用：{known}。",
            "en": "No segment of what these rules check is called “{name}”; there are: {known}.",
        },
        "qualification.grant_item": {
            "zh": "规则里没有条件“{name}”；请写条件的名称或标签，用逗号分隔。",
            "en": "No criterion is called “{name}”; write names or labels of criteria, separated by commas.",
        },
        "qualification.unchecked": {"zh": "{rule}：尚未审核。", "en": "{rule}: not checked yet."},
        "qualification.checked": {"zh": "{rule}：{word}（{at}）。", "en": "{rule}: {word} ({at})."},
        "qualification.checked_until": {
            "zh": "{rule}：{word}（{at}），有效期至 {until}。",
            "en": "{rule}: {word} ({at}), valid until {until}.",
        },
        "qualification.grant_none": {
            "zh": "您没有特殊处理的授权。",
            "en": "You hold no grant for special handling.",
        },
        "qualification.grant_over": {
            "zh": "您的特殊处理授权已过期。",
            "en": "Your grant for special handling has run out.",
        },
        "qualification.grant_used_up": {
            "zh": "您本月的特殊处理次数已用完。",
            "en": "You have used up your special handling of this month.",
        },
        "qualification.grant_items": {
            "zh": "您的授权不包括这些条件。",
            "en": "Your grant does not cover these criteria.",
        },
    }
)
