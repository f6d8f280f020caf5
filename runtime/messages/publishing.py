"""Publishing: plans, what they would do to the data, and refusals."""

# ruff: noqa: E501
from __future__ import annotations

from runtime.messages import register

register(
    {
        "publish.problems": {
            "zh": "元数据有 {count} 个错误，没有发布。",
            "en": "The metadata has {count} errors; nothing was published.",
        },
        "publish.refused": {
            "zh": "已有数据不允许此更改，没有发布：{reason}",
            "en": "The data does not allow this change; nothing was published: {reason}",
        },
        "publish.danger": {
            "zh": "此更改会影响已有数据，需要确认：{reason}",
            "en": "This change affects existing data and must be confirmed: {reason}",
        },
        "publish.overtaken": {
            "zh": "版本 {number} 已由他人发布（{changed}），请重新检查后再发布。",
            "en": "Version {number} was published by somebody else meanwhile ({changed}); look again, then publish.",
        },
        "publish.no_version": {"zh": "没有版本 {number}。", "en": "There is no version {number}."},
        "purge.nothing": {"zh": "没有已停用的“{name}”。", "en": "Nothing retired is called {name}."},
        "publish.nothing": {"zh": "没有任何更改。", "en": "Nothing has changed."},
        "publish.code_mismatch": {
            "zh": "代码包 {package} 与发布时不同（已发布 {published}，已安装 {installed}）；请安装一致的版本或重新发布。",
            "en": "The code package {package} differs from what was published ({published}, installed: {installed}); "
            "install the same version or publish again.",
        },
        "version_changed": {
            "zh": "系统刚刚更新到新版本，请重试。",
            "en": "A new version was published just now; please try again.",
        },
        "impact.required": {
            "zh": "{entity}.{field} 改为必填：{count} 条记录为空，下次编辑时需填写。",
            "en": "{entity}.{field} becomes required: {count} records have nothing there and need it at their next edit.",
        },
        "impact.shorter": {
            "zh": "{entity}.{field} 最大长度改为 {max}：{count} 条记录超长，原值保留到下次编辑。",
            "en": "{entity}.{field} becomes at most {max} long: {count} records are longer; they keep their value until "
            "edited.",
        },
        "impact.out_of_range": {
            "zh": "{entity}.{field} 的范围变窄：{count} 条记录超出范围，原值保留到下次编辑。",
            "en": "{entity}.{field} has a narrower range: {count} records are outside and keep their value until edited.",
        },
        "impact.choices": {
            "zh": "{entity}.{field}：{count} 条记录使用了不再提供的选项（{values}），原值保留到下次编辑。",
            "en": "{entity}.{field}: {count} records hold choices no longer offered ({values}); they keep them until "
            "edited.",
        },
        "impact.duplicates": {
            "zh": "{entity}.{field} 改为唯一：{count} 条记录的值重复。请先处理重复的记录。",
            "en": "{entity}.{field} becomes unique: {count} records share their value. Clear the duplicates first.",
        },
        "impact.check": {
            "zh": "{entity} 的新规则“{name}”：{count} 条记录不符合，下次编辑时需更正。",
            "en": "{entity}: {count} records break the new rule “{name}” and must be put right at their next edit.",
        },
        "impact.retype": {
            "zh": "{entity}.{field} 由 {old} 改为 {new}：{total} 条记录转换，其中 {count} 条无法转换而变为空；原值存档，可恢复。",
            "en": "{entity}.{field} changes from {old} to {new}: {total} records are converted, {count} of them cannot be "
            "and become empty; the old values are archived and can be brought back.",
        },
        "impact.retire_field": {
            "zh": "{entity}.{field} 停用：{count} 条记录的值保留在数据库中，可恢复。",
            "en": "{entity}.{field} is retired: the values of {count} records stay in the database and can come back.",
        },
        "impact.case_stranded": {
            "zh": "审批 {name}：{count} 件正等在被删除的步骤“{step}”。写 moved: {{{step}: 新步骤}} 可转到别处；确认发布则按原流程走完。",
            "en": "Approval {name}: {count} cases wait at the step “{step}”, which goes. Write moved: {{{step}: new_step}} "
            "to move them; with your consent they end by the chain they began with.",
        },
        "impact.case_moved": {
            "zh": "审批 {name}：等在“{step}”的 {count} 件转到“{to}”。",
            "en": "Approval {name}: {count} cases that wait at “{step}” go on at “{to}”.",
        },
        "impact.retire_entity": {
            "zh": "{entity} 停用：{count} 条记录保留在数据库中，可恢复。",
            "en": "{entity} is retired: {count} records stay in the database and can come back.",
        },
        "impact.who_unknown": {
            "zh": "{where}：没有 {who}。",
            "en": "{where}: there is no {who}.",
        },
        "impact.who_empty": {
            "zh": "{where}：现在没有这样的人，规则找不到任何人。",
            "en": "{where}: there is nobody like that now, so the rule finds nobody.",
        },
        "impact.rename": {"zh": "{old} 改名为 {new}。", "en": "{old} is renamed {new}."},
        "impact.dangling": {
            "zh": "{entity}.{field} 恢复：{count} 条记录引用的目标已不存在，将置空。",
            "en": "{entity}.{field} comes back: {count} records refer to something purged meanwhile and become empty.",
        },
    }
)
