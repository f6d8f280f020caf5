"""Answers of duplicates and merging."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "duplicate.warned": {
            "zh": "可能与已有记录重复：{text}。",
            "en": "This may be there already: {text}.",
        },
        "duplicate.refused": {
            "zh": "与已有记录重复：{text}。",
            "en": "This is there already: {text}.",
        },
        "duplicate.unseen": {
            "zh": "{label}（{count} 条，您无权查看）",
            "en": "{label} ({count} you may not see)",
        },
        "duplicate.row": {"zh": "同批第 {row} 条", "en": "record {row} of the same batch"},
        "duplicate.more": {"zh": " 等，另有 {count} 条", "en": " and {count} more"},
        "duplicate.merge": {"zh": "合并重复记录", "en": "Merge a duplicate"},
        "duplicate.with": {"zh": "与哪条记录合并", "en": "The record to merge with"},
        "duplicate.with_help": {
            "zh": "它将并入此记录并进入回收站，相关记录转到此记录名下。",
            "en": "It becomes part of this one and goes to the recycle bin; what belongs to it moves here.",
        },
        "duplicate.choices": {
            "zh": "每个字段取哪条记录的值",
            "en": "The record each field is taken from",
        },
        "duplicate.undo": {"zh": "撤销合并", "en": "Undo the merge"},
        "duplicate.undo_confirm": {
            "zh": "被合并的记录将恢复，转移过来的相关记录将退回。",
            "en": "The records that went are restored, and what was moved goes back to them.",
        },
        "duplicate.may_not": {
            "zh": "合并需要对所有记录的修改权限，以及对并入记录的删除权限。",
            "en": "Merging takes the right to edit all of the records, and to delete those that go.",
        },
        "duplicate.searching": {
            "zh": "正在后台查找重复记录，稍后刷新。",
            "en": "All records are searched in the background; look again in a moment.",
        },
        "merge.two": {"zh": "请选择 2 到 {most} 条记录。", "en": "Choose 2 to {most} records."},
        "merge.choice": {
            "zh": "字段“{field}”选了不在其中的记录。",
            "en": "For “{field}” a record was chosen that is not among these.",
        },
        "merge.done": {"zh": "已合并 {count} 条记录。", "en": "{count} records are merged into this one."},
        "merge.undone": {"zh": "合并已撤销。", "en": "The merge is undone."},
        "merge.undone_already": {"zh": "这次合并已经撤销过。", "en": "This merge was undone before."},
        "merge.blocked": {
            "zh": "不能合并：{entity}“{title}”不能转到保留的记录名下（{why}）。",
            "en": "This cannot be merged: “{title}” ({entity}) cannot be moved to the record that stays: {why}",
        },
        "merge.ledger": {
            "zh": "不能合并：{entity}是只增不改的台账，无法转到另一条记录名下。",
            "en": "This cannot be merged: entries of {entity} are never changed, so they cannot be moved.",
        },
        "merge.into_itself": {
            "zh": "不能合并：“{field}”会让记录指向它自己。",
            "en": "This cannot be merged: by “{field}” the record would point to itself.",
        },
        "merge.too_much": {
            "zh": "相关记录超过 {most} 条，请联系管理员分批处理。",
            "en": "More than {most} records belong to these; ask an administrator to do it in parts.",
        },
        "merge.changed": {
            "zh": "不能撤销：合并后已有变化（{what}）。",
            "en": "This cannot be undone; it has changed since: {what}",
        },
        "merge.gone": {
            "zh": "不能撤销：{entity} #{id} 已不在回收站中。",
            "en": "This cannot be undone: {entity} #{id} is no longer in the recycle bin.",
        },
    }
)
