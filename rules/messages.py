"""What every problem of an expression says to its author, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from rules.errors import ExpressionProblem

MESSAGES: Mapping[str, tuple[str, str]] = {
    "argument_constant": ("{name} 的这个参数须直接写出，不能计算", "This argument of {name} must be written out"),
    "argument_count": ("{name} 要 {wanted} 个参数，给了 {found} 个", "{name} takes {wanted} arguments, not {found}"),
    "argument_type": (
        "{name} 的这个参数不能是 {found}，应为 {wanted}",
        "{name} does not take {found} here, but {wanted}",
    ),
    "argument_value": ("“{found}”不行，应为 {wanted} 之一", "“{found}” will not do; one of {wanted}"),
    "bad_character": ("不能用的字符：{found}", "A character that cannot be used: {found}"),
    "bad_escape": ("文本里不能写 {found}", "{found} cannot be written in a text"),
    "bad_name": ("名称只用小写英文字母、数字和下划线：{found}", "Names use a-z, 0-9 and _ only: {found}"),
    "bad_number": ("不是数：{found}", "Not a number: {found}"),
    "branches_differ": (
        "两种结果的类型不同：{left} 与 {right}",
        "The results are of different types: {left} and {right}",
    ),
    "changed_needs_name": ("changed 要一个字段名，写成文本", "changed needs the name of a field, as a text"),
    "collection_as_value": ("{found} 是一组记录，不是一个值", "{found} is a set of records, not a value"),
    "collection_needs_function": (
        "{collection} 是一组记录：用 count、sum、any 等函数",
        "{collection} is a set of records: use count, sum, any …",
    ),
    "collections_too_deep": ("集合最多嵌套 {limit} 层", "Sets of records nest {limit} deep at most"),
    "compared_with_nothing": (
        "与空比较永远不成立，请用 is None 或 is not None",
        "A comparison with nothing is never true; use is None or is not None",
    ),
    "currencies_differ": (
        "两个金额可能是不同货币，请先用 convert 换算",
        "The two amounts may be in different currencies; convert them first",
    ),
    "date_and_datetime": (
        "日期不能与日期时间比较，请用 date(…)",
        "A date cannot be compared with a datetime; use date(…)",
    ),
    "empty": ("表达式是空的", "The expression is empty"),
    "empty_list": ("列表是空的", "The list is empty"),
    "empty_text": (
        "空文本存为“空”，这样比较永远不成立",
        "Empty text is stored as nothing: this comparison is never true",
    ),
    "field_outside_aggregate": (
        "度量中字段须放在聚合函数里：{found}",
        "In a measure a field must stand inside an aggregate: {found}",
    ),
    "habit": ("这里不写 {found}", "{found} is not how it is written here"),
    "is_only_none": ("is 只用于 None；比较请用 ==", "is goes with None only; compare with =="),
    "list_without_in": ("列表只能放在 in 的右边", "A list can only stand to the right of in"),
    "money_times_money": ("金额不能乘金额", "Money cannot be multiplied by money"),
    "no_arithmetic": ("{left} 与 {right} 不能这样计算", "{left} and {right} cannot be calculated with like this"),
    "no_arithmetic_one": ("{found} 不能计算", "{found} cannot be calculated with"),
    "no_fields": ("{type} 没有字段 {found}", "{type} has no field {found}"),
    "no_methods": ("{type} 没有 .{found}(…)", "{type} has no .{found}(…)"),
    "no_named_arguments": ("参数不能这样命名：{found}", "An argument cannot be named like this: {found}"),
    "no_old": (
        "old 和 changed 只用于更改时运行的规则",
        "old and changed are only for rules that run on a change",
    ),
    "no_order": ("{left} 与 {right} 不分大小先后", "{left} and {right} have no order"),
    "no_this": ("这里外面没有记录，不能用 this", "There is no outer record here for this"),
    "not_a_condition": ("这里要条件，不是 {found}", "A condition is due here, not {found}"),
    "not_a_container": ("in 的右边不能是 {found}", "{found} cannot stand to the right of in"),
    "not_a_number": ("{name} 要数，不是 {found}", "{name} needs numbers, not {found}"),
    "not_a_value": ("{found} 不是一个值", "{found} is not a single value"),
    "not_allowed": ("表达式里不能用：{found}", "Not part of the expression language: {found}"),
    "not_comparable": ("{left} 不能比较", "{left} cannot be compared"),
    "nothing_in_arithmetic": ("不能用 None 计算", "None cannot be calculated with"),
    "nothing_in_list": ("列表里不能有 None", "A list cannot hold None"),
    "number_too_large": ("数太大或小数太多：{found}", "Too large, or too many decimals: {found}"),
    "other_entity": ("{left} 与 {right} 是不同实体的记录", "{left} and {right} are records of different entities"),
    "other_options": ("{left} 与 {right} 的选项集不同", "{left} and {right} have different choices"),
    "params_alone": ("params 后要跟参数名", "params needs the name of a parameter"),
    "percent_below_one": (
        "百分数按 12.5 表示 12.5%：是不是要写 {hint}？",
        "A percent holds 12.5 for 12.5 %: did you mean {hint}?",
    ),
    "private_name": ("名称不能以下划线开头：{found}", "A name cannot begin with an underscore: {found}"),
    "select_has_no_order": ("选项不分大小，请用 .order", "Choices have no order of their own; use .order"),
    "syntax": ("看不懂这里", "This cannot be read"),
    "text_in_text": ("文本是否含有文本，请用 contains", "For a text in a text use contains"),
    "text_joined": ("两个文本之间缺少 +", "A + is missing between two texts"),
    "too_complex": (
        "太复杂：请分成几个公式字段",
        "Too many operations inside each other: split it into several formula fields",
    ),
    "too_deep": ("嵌套太深（最多 {limit} 层）", "Nested too deep ({limit} levels at most)"),
    "too_long": ("表达式太长：{length} 个字符，最多 {limit}", "Too long: {length} characters, {limit} at most"),
    "types_differ": ("{left} 不能与 {right} 比较", "{left} cannot be compared with {right}"),
    "unclosed": ("没有关上：{bracket}", "Never closed: {bracket}"),
    "unknown_aggregate": ("没有聚合函数 {found}", "There is no aggregate {found}"),
    "unknown_choice": ("选项集 {options} 里没有“{found}”", "{options} has no choice “{found}”"),
    "unknown_function": ("没有函数 {found}", "There is no function {found}"),
    "unknown_name": ("没有“{found}”", "There is no {found}"),
    "unknown_parameter": ("没有参数 {found}", "There is no parameter {found}"),
    "unknown_property": ("选项集 {options} 没有属性 {found}", "The choices of {options} have no property {found}"),
    "unopened": ("多了一个 {found}", "{found} closes nothing"),
    "wide": ("请用半角：{found}", "A full-width {found}"),
    "wrong_result": ("结果是 {left}，这里要 {right}", "The result is {left}; {right} is due here"),
}
_MEANT = {"zh": "{message}。是不是想写 {hint}？", "en": "{message}. Did you mean {hint}?"}


class _Params(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def phrase(problem: ExpressionProblem, language: str) -> str:
    """The problem as a sentence without a full stop, in Chinese for "zh…", else in English."""
    chinese = language.startswith("zh")
    texts = MESSAGES.get(problem.code, (problem.code, problem.code))
    params = _Params(problem.params, hint=problem.hint or "…")
    message = texts[0 if chinese else 1].format_map(params)
    if problem.hint is None or problem.code == "percent_below_one":
        return message
    return _MEANT["zh" if chinese else "en"].format(message=message, hint=problem.hint)
