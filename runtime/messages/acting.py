"""Rules that act: effects, workflows, reminders."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "rule.loop": {
            "zh": "规则互相触发成了环，已在第 {depth} 层停下：{cause}。请给其中一条规则加上条件。",
            "en": "Rules trigger each other in a ring and were stopped at depth {depth}: {cause}. "
            "Give one of them a condition.",
        },
        "rule.nobody": {"zh": "步骤“{step}”没有找到人。", "en": "The step “{step}” found nobody."},
        "rule.no_function": {
            "zh": "没有名为“{name}”的步骤函数；它所在的代码包没有安装。",
            "en": "There is no effect function “{name}”: the code package it comes from is not installed.",
        },
        "workflow.gone": {
            "zh": "工作流“{name}”已不存在。",
            "en": "There is no workflow “{name}” any more.",
        },
        "workflow.never": {
            "zh": "等待“{duration}”没有结束的时候；请检查工作日历。",
            "en": "Waiting “{duration}” would never end: look at the working calendar.",
        },
        "hook.not_proved": {
            "zh": "签名或令牌不正确。",
            "en": "The signature or token is not right.",
        },
        "reminder.digest": {"zh": "{count} 条提醒：{rules}", "en": "{count} reminders: {rules}"},
        "reminder.no_sql": {
            "zh": "提醒“{name}”按人统计的条件无法用 SQL 表达。",
            "en": "What “{name}” counts cannot be said in SQL.",
        },
        "notice.why_rule": {"zh": "规则：{label}。", "en": "Rule: {label}."},
        "notice.why_after": {"zh": "{after}后提醒。", "en": "Told after {after}."},
        "notice.why_repeat": {"zh": "仍未处理则每 {repeat}再提醒。", "en": "Again every {repeat} while it lasts."},
        "notice.why_climb": {"zh": "{after}后上报。", "en": "Climbs after {after}."},
        "impact.reminder": {
            "zh": "提醒“{name}”现在会涉及 {count} 条记录，{people} 人，共 {lines} 条通知。",
            "en": "The reminder “{name}” would now concern {count} records: {lines} lines to {people} people.",
        },
        "impact.reminder_unknown": {
            "zh": "提醒“{name}”读取尚未发布的字段，发布前无法计数。",
            "en": "The reminder “{name}” reads what is not published yet, so nothing can be counted before.",
        },
        "impact.workflow": {
            "zh": "工作流“{name}”在过去 30 天会在 {count} 条记录上触发 {fired} 次。",
            "en": "The workflow “{name}” would have fired {fired} times on {count} records in the last 30 days.",
        },
        "impact.workflow_unknown": {
            "zh": "工作流“{name}”读取尚未发布的字段，无法按历史计数。",
            "en": "The workflow “{name}” reads what is not published yet: its history cannot be counted.",
        },
        "impact.workflow_running": {
            "zh": "工作流“{name}”有 {count} 个执行尚未结束，将按各自开始时的版本继续。",
            "en": "{count} runs of the workflow “{name}” have not ended; each goes on with the version it began with.",
        },
        "why.reminders": {
            "zh": "{count} 条提醒中，有 {met} 条现在符合。",
            "en": "{met} of {count} reminders concern it now.",
        },
        "why.reminder_not": {"zh": "不符合条件。", "en": "It does not meet the condition."},
        "why.reminder_now": {"zh": "符合条件，立即提醒。", "en": "It meets the condition."},
        "why.reminder_since": {
            "zh": "符合条件，自 {since} 起，{after}后提醒。",
            "en": "It meets the condition since {since}; told after {after}.",
        },
        "why.workflows": {"zh": "最近 {count} 次工作流执行。", "en": "Latest runs of workflows: {count}."},
        "run.rerun": {"zh": "重新执行", "en": "Run again"},
        "run.skip": {"zh": "跳过此步", "en": "Skip the step"},
        "run.cancel": {"zh": "结束执行", "en": "End the run"},
        "run.rerun_done": {"zh": "将从失败的步骤继续。", "en": "It goes on at the step that failed."},
        "run.skip_done": {"zh": "已跳过，继续下一步。", "en": "Skipped; it goes on with the next step."},
        "run.cancel_done": {"zh": "已结束。", "en": "It has ended."},
        "run.not_now": {"zh": "现在的状态不允许。", "en": "Its state does not allow it."},
        "message.send_again": {"zh": "再次发送", "en": "Send again"},
        "message.sent_again": {"zh": "将再次发送。", "en": "It will be sent once more."},
        "message.maybe_twice": {
            "zh": "上次是否送达不确定，再次发送可能重复。继续吗？",
            "en": "Whether it arrived is not known: it may arrive twice. Go on?",
        },
        "run.effect.set": {"zh": "赋值", "en": "Set fields"},
        "run.effect.create": {"zh": "新建记录", "en": "Create a record"},
        "run.effect.link": {"zh": "添加关联", "en": "Add links"},
        "run.effect.assign": {"zh": "分派", "en": "Assign"},
        "run.effect.notify": {"zh": "通知", "en": "Notify"},
        "run.effect.message": {"zh": "发送邮件", "en": "Send a message"},
        "run.effect.webhook": {"zh": "调用外部程序", "en": "Call a program"},
        "run.effect.approval": {"zh": "发起审批", "en": "Start an approval"},
        "run.effect.function": {"zh": "执行函数", "en": "Call a function"},
        "run.effect.wait": {"zh": "等待", "en": "Wait"},
        "run.step.done": {"zh": "完成", "en": "done"},
        "run.step.queued": {"zh": "已排队", "en": "queued"},
        "run.step.skipped": {"zh": "跳过", "en": "skipped"},
        "run.step.ended": {"zh": "提前结束", "en": "ended early"},
        "run.step.failed": {"zh": "失败", "en": "failed"},
        "trial.kind": {
            "zh": "一次试一份规则文件，种类为：{kinds}。",
            "en": "One document of a rule is tried out at a time, of the kinds {kinds}.",
        },
        "trial.unpublished": {
            "zh": "草稿用到了尚未发布的字段，发布后才能试运行。",
            "en": "The draft reads fields that are not published yet: it can be tried out once they are.",
        },
        "hook.taken": {"zh": "已收到。", "en": "Received."},
    }
)
