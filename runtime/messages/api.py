"""The HTTP interface and the command line: titles of problem documents, syntax of requests."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        # titles
        "http.400": {"zh": "请求有误", "en": "Bad request"},
        "http.401": {"zh": "需要登录", "en": "Not signed in"},
        "http.403": {"zh": "没有权限", "en": "Not allowed"},
        "http.404": {"zh": "没有找到", "en": "Not found"},
        "http.405": {"zh": "此地址不支持该方法", "en": "Method not allowed here"},
        "http.409": {"zh": "与当前状态冲突", "en": "Conflict with the present state"},
        "http.412": {"zh": "记录已被他人修改", "en": "Changed by somebody else"},
        "http.413": {"zh": "内容过大", "en": "Too large"},
        "http.414": {"zh": "地址过长", "en": "Address too long"},
        "http.415": {"zh": "不支持的内容类型", "en": "Unsupported type of content"},
        "http.422": {"zh": "内容未被接受", "en": "Values refused"},
        "http.429": {"zh": "请求过于频繁", "en": "Too many requests"},
        "http.500": {"zh": "程序内部错误", "en": "Internal error"},
        "http.503": {"zh": "暂时无法服务", "en": "Not available at the moment"},
        "http.507": {"zh": "磁盘已满", "en": "Disk full"},
        "internal": {
            "zh": "程序内部错误，编号 {request_id}。请将编号告知管理员。",
            "en": "An internal error, number {request_id}. Please give the number to the administrator.",
        },
        # syntax
        "json.not_utf8": {
            "zh": "内容不是 UTF-8（第 {position} 字节）。",
            "en": "The body is not UTF-8 (byte {position}).",
        },
        "json.syntax": {
            "zh": "JSON 有误：第 {line} 行第 {column} 列。",
            "en": "The JSON is broken at line {line}, column {column}.",
        },
        "json.too_deep": {"zh": "JSON 嵌套超过 {max} 层。", "en": "The JSON is nested more than {max} deep."},
        "json.duplicate_key": {"zh": "JSON 中的键“{key}”重复。", "en": "The JSON has the key “{key}” twice."},
        "json.number": {"zh": "JSON 中的数字无法表示。", "en": "A number in the JSON cannot be represented."},
        "json.not_an_object": {"zh": "内容应为 JSON 对象。", "en": "The body should be a JSON object."},
        "request.unknown_parameter": {"zh": "未知参数“{name}”。", "en": "Unknown parameter “{name}”."},
        "request.parameter_twice": {"zh": "参数“{name}”重复。", "en": "The parameter “{name}” is given twice."},
        "request.bad_parameter": {
            "zh": "参数“{name}”应为 {expected}。",
            "en": "The parameter “{name}” should be {expected}.",
        },
        "request.missing_parameter": {"zh": "缺少参数“{name}”。", "en": "The parameter “{name}” is missing."},
        "request.bad_if_match": {
            "zh": "If-Match 应为读取记录时得到的 ETag。",
            "en": "If-Match should be the ETag that came with the record.",
        },
        "request.bad_idempotency_key": {
            "zh": "Idempotency-Key 应为 1 至 200 个可见 ASCII 字符。",
            "en": "Idempotency-Key should be 1 to 200 visible ASCII characters.",
        },
        "request.batch_shape": {
            "zh": "批量请求应含 create、update 或 delete 之一，其值为列表。",
            "en": "A batch holds one of create, update or delete with a list.",
        },
        "request.batch_too_large": {"zh": "一次最多 {max} 条。", "en": "At most {max} rows at a time."},
        "batch.item_not_an_object": {"zh": "应为 JSON 对象。", "en": "This should be a JSON object."},
        "batch.item_without_id": {"zh": "缺少记录的 id。", "en": "The id of the record is missing."},
        "action.unknown": {"zh": "没有名为“{name}”的操作。", "en": "There is no action called “{name}”."},
        "action.closed": {"zh": "现在不能执行：{why}", "en": "This cannot be done now: {why}"},
        "action.unknown_value": {"zh": "此操作没有“{name}”这一项。", "en": "The action asks for no “{name}”."},
        "action.deleted_already": {"zh": "记录在回收站中。", "en": "The record is in the recycle bin."},
        "action.not_deleted": {"zh": "记录不在回收站中。", "en": "The record is not in the recycle bin."},
        "draft.syntax": {"zh": "YAML 有误（{place}）。", "en": "The YAML is broken at {place}."},
        "draft.other_document": {
            "zh": "内容应恰好是一个文档：{kind}: {name}。",
            "en": "The text should hold just one document: {kind}: {name}.",
        },
        "user.unknown": {"zh": "没有账号为“{login}”的用户。", "en": "There is no user with the login “{login}”."},
        "role.unknown": {
            "zh": "没有名为“{role}”的角色；现有：{known}。",
            "en": "There is no role “{role}”. Known: {known}.",
        },
        "import.bad_map": {
            "zh": "{file} 应为“列名: 字段”的 YAML。",
            "en": "{file} should be YAML of “column: field” lines.",
        },
        # reports
        "report.unknown": {"zh": "没有名为“{name}”的报表。", "en": "There is no report called “{name}”."},
        "report.unknown_parameter": {"zh": "报表没有参数“{name}”。", "en": "The report has no parameter “{name}”."},
        "report.bad_parameter": {
            "zh": "参数“{name}”的值无法理解。",
            "en": "The value of the parameter “{name}” makes no sense.",
        },
        "report.missing_parameter": {"zh": "请填写参数“{name}”。", "en": "Please give the parameter “{name}”."},
    }
)
