"""The timeline of a record: what its legs are called, and what it answers."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "timeline.changes": {"zh": "修改", "en": "Changes"},
        "timeline.stages": {"zh": "阶段变动", "en": "Moves"},
        "timeline.approvals": {"zh": "审批", "en": "Approvals"},
        "timeline.ownership": {"zh": "归属", "en": "Ownership"},
        "timeline.files": {"zh": "文件", "en": "Files"},
        "timeline.file_added": {"zh": "上传了文件", "en": "added a file"},
        "timeline.file_version": {"zh": "上传了第 {number} 版", "en": "added version {number}"},
        "bad_day": {"zh": "“{value}”不是日期（如 2026-03-16）。", "en": "“{value}” is no day such as 2026-03-16."},
        "undo.moved_on": {
            "zh": "“{label}”后来又被修改过，不能再撤销这一次。",
            "en": "“{label}” has been changed since; this change can no longer be taken back.",
        },
        "undo.not_this": {
            "zh": "这一处修改不能在这里撤销。",
            "en": "This change cannot be taken back here.",
        },
        "undo.not_now": {"zh": "没有撤销：{why}", "en": "Not taken back: {why}"},
        "activity.complete": {"zh": "完成", "en": "Complete"},
        "activity.completed": {"zh": "“{title}”已完成。", "en": "“{title}” is done."},
        "activity.completed_next": {
            "zh": "“{title}”已完成，下一步已安排。",
            "en": "“{title}” is done, and the next step is planned.",
        },
        "activity.done_already": {"zh": "已经完成了。", "en": "It is done already."},
        "activity.next": {"zh": "下一步做什么？", "en": "What is the next step?"},
        "activity.next_help": {
            "zh": "留空表示暂时没有下一步；填写后会新建一条，关联同样的记录。",
            "en": "Left empty there is none; else it is added, about the same records.",
        },
        "activity.next_step": {"zh": "安排下一步", "en": "Plan the next step"},
        "activity.planned": {"zh": "已安排下一步：“{title}”。", "en": "“{title}” is planned as the next step."},
        "activity.next_at": {"zh": "什么时候？", "en": "When?"},
        "mention.untold": {
            "zh": "未通知（无权查看）：{names}。",
            "en": "Not told, for they may not see this: {names}.",
        },
        "mention.subject": {"zh": "{name} 在“{title}”中提到了您", "en": "{name} mentioned you about “{title}”"},
    }
)
