"""What a person is told about a value a field cannot take: code -> sentence per language, filled by `params`."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: dict[str, dict[str, str]] = {
    "value.wrong_type": {"zh": "值的类型不对", "en": "The value has the wrong type"},
    "value.not_text": {"zh": "应为文本", "en": "This must be text"},
    "value.bad_character": {
        "zh": "含有不可用的字符（{character}）",
        "en": "Contains an unusable character ({character})",
    },
    "value.too_long": {"zh": "最多 {max} 个字符", "en": "At most {max} characters"},
    "value.too_short": {"zh": "至少 {min} 个字符", "en": "At least {min} characters"},
    "value.pattern": {"zh": "格式不符合要求", "en": "This does not have the required form"},
    "value.not_a_number": {"zh": "“{value}”不是数字", "en": "“{value}” is not a number"},
    "value.not_an_integer": {"zh": "“{value}”不是整数", "en": "“{value}” is not a whole number"},
    "value.too_large": {"zh": "不能大于 {max}", "en": "At most {max}"},
    "value.too_small": {"zh": "不能小于 {min}", "en": "At least {min}"},
    "value.too_precise": {"zh": "小数位太多，最多 {scale} 位", "en": "Too many decimals: at most {scale}"},
    "value.not_a_boolean": {"zh": "“{value}”不是“是”或“否”", "en": "“{value}” is neither yes nor no"},
    "value.not_a_date": {
        "zh": "“{value}”不是日期，请写成 2026-03-16",
        "en": "“{value}” is not a date; write it as 2026-03-16",
    },
    "value.no_such_date": {"zh": "没有 {value} 这一天", "en": "There is no such day as {value}"},
    "value.not_a_datetime": {
        "zh": "“{value}”不是日期时间，请写成 2026-03-16 14:30",
        "en": "“{value}” is not a date and time; write it as 2026-03-16 14:30",
    },
    "value.not_a_time": {
        "zh": "“{value}”不是时间，请写成 14:30",
        "en": "“{value}” is not a time of day; write it as 14:30",
    },
    "value.too_early": {"zh": "不能早于 {min}", "en": "Not before {min}"},
    "value.too_late": {"zh": "不能晚于 {max}", "en": "Not after {max}"},
    "value.unknown_choice": {"zh": "没有“{value}”这个选项", "en": "There is no choice “{value}”"},
    "value.unknown_choice_hint": {
        "zh": "没有“{value}”这个选项，是“{hint}”吗？",
        "en": "There is no choice “{value}”. Did you mean “{hint}”?",
    },
    "value.not_an_email": {"zh": "“{value}”不是邮箱地址", "en": "“{value}” is not an e-mail address"},
    "value.not_a_phone": {"zh": "“{value}”不是有效的电话号码", "en": "“{value}” is not a valid phone number"},
    "value.not_a_url": {
        "zh": "“{value}”不是 http 或 https 网址",
        "en": "“{value}” is not a web address (http or https)",
    },
    "value.other_currency": {
        "zh": "币种是 {given}，本记录用 {expected}",
        "en": "The currency is {given}, but this record is in {expected}",
    },
    "value.not_a_currency": {
        "zh": "“{value}”不是三位字母的币种代码",
        "en": "“{value}” is not a three-letter currency code",
    },
    "value.not_an_id": {"zh": "“{value}”不是记录编号（id）", "en": "“{value}” is not the id of a record"},
    "value.unknown_record": {"zh": "找不到“{value}”", "en": "“{value}” was not found"},
    "value.ambiguous_record": {
        "zh": "有 {count} 条记录都叫“{value}”",
        "en": "{count} records are called “{value}”",
    },
    "value.not_a_list": {"zh": "应为列表", "en": "This must be a list"},
    "value.not_a_line": {"zh": "每一行应为“字段: 值”", "en": "Each line must be an object of field and value"},
    "value.too_many": {"zh": "最多 {max} 项", "en": "At most {max} items"},
    "value.not_json": {"zh": "不是有效的 JSON", "en": "This is not valid JSON"},
    "value.computed": {"zh": "此字段由系统计算，不能填写", "en": "This field is computed and cannot be filled in"},
}


def phrase(code: str, language: str, params: Mapping[str, str] | None = None) -> str:
    """The sentence for a rejection's code; the code itself where the catalogue has none."""
    entry = MESSAGES.get(code)
    if entry is None:
        return code
    return entry.get(language, entry["en"]).format_map(_Given(params or {}))


class _Given(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"
