"""Answers about the numbers of records: why each part is as it is."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "number.why.none": {"zh": "没有您可见的编号。", "en": "There is no number here that you may see."},
        "number.why.empty": {"zh": "该记录没有编号。", "en": "The record has no number."},
        "number.why.summary": {
            "zh": "{number}：按编号规则“{name}”的样式 {pattern} 编成。",
            "en": "{number} is made as the numbering “{name}” says: {pattern}.",
        },
        "number.why.other": {
            "zh": "{number}：无法按编号规则“{name}”的样式 {pattern} 拆分，"
            "可能由人填写或导入，或在样式、相关字段修改之前给出。",
            "en": "{number} cannot be read by the pattern {pattern} of the numbering “{name}”: it was typed or "
            "imported, or given before the pattern or the fields in it were changed.",
        },
        "number.why.text": {"zh": "固定文字", "en": "Fixed text"},
        "number.why.date": {"zh": "日期", "en": "Date"},
        "number.why.day": {"zh": "给号当天的日期，写作 {form}", "en": "the day the number was given, as {form}"},
        "number.why.field": {"zh": "取自该字段", "en": "taken from the field"},
        "number.why.changed": {
            "zh": "给号时该字段的值，现为 {now}；编号不随之改变",
            "en": "what the field was when the number was given; it is {now} now, and the number stays",
        },
        "number.why.hidden": {"zh": "您无权查看的字段", "en": "A field you may not see"},
        "number.why.seq": {"zh": "流水号", "en": "Sequence"},
        "number.why.counted": {
            "zh": "由计数器依次给出，给出的号不再给出",
            "en": "given by the counter one after the other, and never given again",
        },
        "number.why.typed": {
            "zh": "不是计数器给出的：由人填写或导入",
            "en": "not given by the counter: typed or imported",
        },
        "number.why.granted": {
            "zh": "保留号，由{by}于 {day} 授予",
            "en": "a reserved number, granted by {by} on {day}",
        },
        "number.why.year": {"zh": "每年", "en": "each year"},
        "number.why.month": {"zh": "每月", "en": "each month"},
        "number.why.day_each": {"zh": "每天", "en": "each day"},
        "number.why.fields": {"zh": "编号中字段的每组值", "en": "for each set of values of the fields in it"},
        "number.why.and": {"zh": "、", "en": " and "},
        "number.why.anew": {"zh": "{each}从 {start} 重新计数", "en": "counted from {start} anew {each}"},
        "number.why.once": {
            "zh": "从 {start} 起一直计数，不重新开始",
            "en": "counted from {start} on, without starting anew",
        },
        "number.why.stop": {"zh": "；", "en": "; "},
        "number.why.before": {"zh": "跳过", "en": "Passed over before it"},
        "number.why.skipped": {"zh": "符合 {rule}，从不给出", "en": "fits {rule}, which is never given"},
        "number.why.reserved": {
            "zh": "符合 {rule}，保留给手工授予",
            "en": "fits {rule}, which is kept to be granted by hand",
        },
        "number.why.check": {"zh": "校验位", "en": "Check digit"},
        "number.why.check_of": {"zh": "由 {known} 算出：{how}", "en": "worked out of {known}: {how}"},
        "number.why.check_wrong": {
            "zh": "应为 {right}，所以不是按规则给出的（{why}）",
            "en": "it should be {right}, so the rule did not give it ({why})",
        },
        # how each algorithm of rules.digits goes
        "number.check.luhn": {
            "zh": "Luhn：字母按 A=10…Z=35 展开，从右起隔位加倍（两位数减 9），各位之和补足到 10 的倍数",
            "en": "Luhn: letters count as A=10 … Z=35; from the right every other digit is doubled (less 9 above 9), "
            "and the digit fills the sum up to a multiple of 10",
        },
        "number.check.weights_731": {
            "zh": "从左起各数字依次乘 7、3、1（字母不计），乘积之和补足到 10 的倍数",
            "en": "from the left the digits count 7, 3 and 1 times (letters do not), and the digit fills the sum up "
            "to a multiple of 10",
        },
        "number.check.weights_31": {
            "zh": "从右起各数字依次乘 3、1（字母不计），乘积之和补足到 10 的倍数",
            "en": "from the right the digits count 3 times and once (letters do not), and the digit fills the sum up "
            "to a multiple of 10",
        },
        "number.check.mod11_10": {
            "zh": "ISO/IEC 7064 MOD 11,10（字母不计）",
            "en": "ISO/IEC 7064 MOD 11,10 (letters do not count)",
        },
        "number.check.mod97": {
            "zh": "ISO/IEC 7064 MOD 97-10：字母按 A=10…Z=35 展开，两位校验位使整个数除以 97 余 1",
            "en": "ISO/IEC 7064 MOD 97-10: letters count as A=10 … Z=35, and with both digits the number leaves 1 when "
            "divided by 97",
        },
        "number.check.damm": {
            "zh": "Damm：按其表逐位换算（字母不计），能查出任何单个错误和相邻两位对调",
            "en": "Damm: digit by digit through its table (letters do not count), which finds each single error and "
            "swap of neighbours",
        },
    }
)
