"""Answers, record problems and refused values."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "menu.more": {"zh": "更多", "en": "More"},
        # answers
        "bad_request": {"zh": "请求无法理解。", "en": "The request could not be understood."},
        "bad_query": {"zh": "查询有误：{detail}", "en": "The query is not right: {detail}"},
        "not_signed_in": {"zh": "请先登录。", "en": "Please sign in."},
        "bad_credentials": {"zh": "账号或密码不正确。", "en": "Login or password is not right."},
        "account_inactive": {"zh": "该账号已停用。", "en": "This account is no longer active."},
        "forbidden": {"zh": "您没有权限执行此操作。", "en": "You are not allowed to do this."},
        "not_found": {"zh": "没有找到。", "en": "Not found."},
        "conflict": {"zh": "当前状态不允许此操作。", "en": "The present state does not allow this."},
        "stale": {
            "zh": "您打开之后，此记录已被他人修改。",
            "en": "Somebody else has changed this record since you opened it.",
        },
        "refused": {"zh": "有些内容需要修改后才能保存。", "en": "Some values need attention before this can be saved."},
        "busy": {
            "zh": "系统繁忙，请稍后再试。您的内容没有保存。",
            "en": "The system is busy; please try again in a moment. Nothing was saved.",
        },
        "outdated": {
            "zh": "站点已由更新的程序发布（第 {number} 版）。请在此服务器上安装同样的版本并重新启动；数据没有更改。",
            "en": "The site was published by a newer program (version {number}). Install that one on this server and "
            "start it again; nothing was changed.",
        },
        "too_slow": {
            "zh": "查询时间过长，已停止，未作任何更改。请缩小范围（筛选、期间、列），或请管理员为此建立索引。",
            "en": "This took too long and was stopped; nothing was changed. Ask for less (filters, period, columns), "
            "or ask the administrator for an index.",
        },
        "too_many_requests": {"zh": "操作过于频繁，请稍后再试。", "en": "Too many requests; please wait a moment."},
        "disk_full": {
            "zh": "服务器磁盘已满，暂时只能查看。请联系管理员。",
            "en": "The disk of the server is full: reading works, saving does not. Please tell the administrator.",
        },
        "locked": {"zh": "此记录已锁定：{reason}", "en": "This record is locked: {reason}"},
        "in_use": {
            "zh": "仍被其他记录引用，不能删除：{count} 条{entity}。",
            "en": "Still in use by other records and so not deleted: {count} × {entity}.",
        },
        "restore_twin": {
            "zh": "已有相同“{field}”的记录，不能恢复。",
            "en": "Another record with the same {field} exists; it cannot be restored.",
        },
        "already_done": {"zh": "已经完成。", "en": "This has been done already."},
        "idempotency_mismatch": {
            "zh": "同一个 Idempotency-Key 被用于不同的请求内容。",
            "en": "The same Idempotency-Key was used with another body.",
        },
        # record problems
        "mass.too_many": {
            "zh": "一次最多处理 {max} 条记录，请缩小范围。",
            "en": "At most {max} records at once; please narrow the list.",
        },
        "mass.no_undo": {
            "zh": "此批量操作不能撤销：已撤销、未完成或超过 24 小时。",
            "en": "This change cannot be taken back: it was already, is not finished, or is older than a day.",
        },
        "view_as.read_only": {
            "zh": "正在以他人身份查看，不能修改任何内容。请先结束查看。",
            "en": "You are looking through somebody else's eyes: nothing can be changed. End the view first.",
        },
        "views.too_many": {
            "zh": "每个列表最多保存 {max} 个视图。",
            "en": "At most {max} views can be kept of one list.",
        },
        "views.too_much": {"zh": "视图的条件过长。", "en": "The view asks for too much to be kept."},
        "required": {"zh": "请填写。", "en": "Please fill this in."},
        "unique": {"zh": "已存在相同的值。", "en": "This value exists already."},
        "unique_together": {"zh": "{fields} 的组合已存在。", "en": "This combination of {fields} exists already."},
        "unknown_field": {"zh": "没有名为“{field}”的字段。", "en": "There is no field called “{field}”."},
        "readonly": {"zh": "此字段只读。", "en": "This field is read-only."},
        "computed": {"zh": "此字段由系统计算，不能填写。", "en": "This field is computed and cannot be set."},
        "unknown_choice": {"zh": "没有“{value}”这个选项。", "en": "There is no choice “{value}”."},
        "retired_choice": {"zh": "选项“{value}”已停用。", "en": "The choice “{value}” is no longer offered."},
        "no_such_record": {"zh": "没有找到所引用的记录。", "en": "The record referred to was not found."},
        "ambiguous_record": {"zh": "“{value}”对应多条记录。", "en": "“{value}” fits more than one record."},
        "not_allowed_target": {"zh": "不能选择这条记录。", "en": "This record may not be chosen here."},
        "own_ancestor": {"zh": "不能选择自己或自己的下级。", "en": "A record cannot be below itself."},
        "check_failed": {"zh": "不符合规则“{name}”。", "en": "The rule “{name}” is not met."},
        "hidden_by_rule": {"zh": "此字段当前不适用。", "en": "This field does not apply here."},
        "duplicate_line": {"zh": "该明细行重复出现。", "en": "This line appears twice."},
        "not_own_line": {"zh": "该明细行不属于此记录。", "en": "This line belongs to another record."},
    }
)
