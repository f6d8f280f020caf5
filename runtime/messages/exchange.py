"""Files, imports and exports."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "too_big": {"zh": "文件太大，最多 {max}。", "en": "The file is too big: at most {max}."},
        "wrong_media": {"zh": "不接受这种文件。", "en": "This kind of file is not accepted."},
        "file.refused_kind": {
            "zh": "不接受“{name}”这种可执行的文件。",
            "en": "“{name}” is of a kind that can run; it is not accepted.",
        },
        "file.mismatch": {
            "zh": "“{name}”的内容（{media}）与文件名不符。",
            "en": "The content of “{name}” ({media}) is not what its name says.",
        },
        "file.not_accepted": {
            "zh": "此处只接受 {accept}，“{name}”是 {media}。",
            "en": "Only {accept} is accepted here; “{name}” is {media}.",
        },
        "file.empty": {"zh": "文件“{name}”是空的。", "en": "The file “{name}” is empty."},
        "file.damaged": {
            "zh": "该文件在存储中已损坏，未予提供；请管理员从备份恢复。",
            "en": "This file is damaged in the storage and is not given out; an administrator can restore it.",
        },
        "file.not_yours": {"zh": "找不到该文件，请重新上传。", "en": "The file was not found; please upload it again."},
        "import.not_a_table": {
            "zh": "无法读取“{name}”，请使用 CSV 或 XLSX 文件。",
            "en": "“{name}” cannot be read. Use a CSV or XLSX file.",
        },
        "import.empty": {"zh": "文件里没有数据。", "en": "There are no data in the file."},
        "import.too_many_rows": {
            "zh": "表格行数过多，最多 {max} 行；请拆分，或改用 CSV。",
            "en": "The sheet has too many rows, at most {max}: split it, or use CSV.",
        },
        "import.too_many_columns": {"zh": "列数过多，最多 {max} 列。", "en": "Too many columns: at most {max}."},
        "import.unsafe_archive": {
            "zh": "该 XLSX 文件解压后异常庞大或结构不正常，已拒绝读取。",
            "en": "This XLSX file unpacks to an unusual size or shape and was not read.",
        },
        "import.too_much_text": {
            "zh": "表格中的长文本过多（合计超过 {max} MB），已拒绝读取；请拆分，或改用 CSV。",
            "en": "The cells hold too much text (more than {max} MB together): split the file, or use CSV.",
        },
        "import.broken_line": {
            "zh": "第 {line} 行附近的 CSV 格式有误（引号没有闭合？）。",
            "en": "The CSV is broken near line {line} (a quote that is not closed?).",
        },
        "import.no_header": {
            "zh": "第 {row} 行是空的，不能作为表头。",
            "en": "Row {row} is empty and cannot name the columns.",
        },
        "import.no_sheet": {"zh": "没有名为“{name}”的工作表。", "en": "There is no sheet called “{name}”."},
        "import.no_columns": {
            "zh": "没有一列能对应到“{entity}”的字段。",
            "en": "No column fits a field of {entity}.",
        },
        "import.unknown_column": {
            "zh": "文件中没有列“{column}”。",
            "en": "The file has no column “{column}”.",
        },
        "import.unknown_field": {
            "zh": "列“{column}”对应的字段“{field}”不存在。",
            "en": "The column “{column}” is mapped to “{field}”, which is no field.",
        },
        "import.match_not_mapped": {
            "zh": "匹配字段“{field}”在文件中没有对应的列。",
            "en": "No column of the file is mapped to the match field “{field}”.",
        },
        "import.match_not_possible": {
            "zh": "不能按字段“{field}”匹配。",
            "en": "Records cannot be matched by the field “{field}”.",
        },
        "import.empty_key": {"zh": "匹配字段为空。", "en": "The match field is empty."},
        "import.key_twice": {
            "zh": "与第 {row} 行的匹配字段相同。",
            "en": "The match field is the same as in row {row}.",
        },
        "import.ambiguous_key": {
            "zh": "有 {count} 条记录与匹配字段相符。",
            "en": "{count} records fit the match field.",
        },
        "import.differs": {
            "zh": "与该记录首行（第 {row} 行）不同；明细行应留空或重复首行的内容。",
            "en": "This differs from row {row}, where the record begins; its other rows leave it empty or repeat it.",
        },
        "import.held_back": {
            "zh": "与第 {row} 行属于同一记录，随该行一并未导入。",
            "en": "It belongs to the same record as row {row}, and stays out together with it.",
        },
        "import.too_many_cells": {"zh": "此行的列数多于表头。", "en": "This row has more cells than the header."},
        "import.running": {"zh": "该导入正在进行。", "en": "This import is running already."},
        "import.ended": {"zh": "该导入已经结束。", "en": "This import has ended already."},
        "import.reason": {"zh": "原因", "en": "Reason"},
        "import.row": {"zh": "行号", "en": "Row"},
        "import.undo_too_late": {"zh": "只能撤销 24 小时内的导入。", "en": "An import can be undone within 24 hours."},
        "import.no_key": {
            "zh": "只更新已有记录时，请选择按哪个字段查找。",
            "en": "To change only what is there, say by which field it is found.",
        },
        "import.undone": {"zh": "该导入已经撤销。", "en": "This import has been undone already."},
        "export.unknown_format": {
            "zh": "不能导出为“{format}”，请用 csv、xlsx 或 json。",
            "en": "Cannot export as “{format}”: use csv, xlsx or json.",
        },
    }
)
