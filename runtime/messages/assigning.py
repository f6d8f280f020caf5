"""What assignments and pools say."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "assignment.told.assigned": {"zh": "{label}“{title}”分配给您", "en": "{label} “{title}” was assigned to you"},
        "assignment.told.assigned.many": {
            "zh": "{count} 条{label}分配给您",
            "en": "{count} {label} were assigned to you",
        },
        "assignment.told.proposed": {
            "zh": "{label}“{title}”的分配建议等您确认",
            "en": "The assignment of {label} “{title}” waits for your confirmation",
        },
        "assignment.told.proposed.many": {
            "zh": "{count} 条{label}的分配建议等您确认",
            "en": "Assignments of {count} {label} wait for your confirmation",
        },
        "assignment.decided": {
            "zh": "这条分配建议已经处理过了。",
            "en": "This proposal has been decided already.",
        },
        "assignment.person_left": {
            "zh": "建议的人已离职或停用，请改派。",
            "en": "The proposed person is no longer active; choose somebody else.",
        },
        "assignment.not_concerned": {
            "zh": "分配规则“{name}”不适用于这条记录。",
            "en": "The assignment “{name}” does not concern this record.",
        },
        "assignment.done.assigned": {"zh": "已分配给{name}。", "en": "Assigned to {name}."},
        "assignment.done.proposed": {
            "zh": "已建议给{name}，等待确认。",
            "en": "Proposed to {name}; it waits for confirmation.",
        },
        "assignment.done.pooled": {"zh": "已放入{name}。", "en": "Put into {name}."},
        "assignment.done.nobody": {
            "zh": "没有找到合适的人，记录保持不变。",
            "en": "Nobody fits; the record stays as it is.",
        },
        "assignment.done.rejected": {"zh": "已拒绝分配建议。", "en": "The proposal was rejected."},
        "assignment.none": {"zh": "还没有按规则分配过。", "en": "No rule has assigned this record yet."},
        "assignment.why.assigned": {
            "zh": "规则“{rule}”（{assignment}）把它分配给{name}",
            "en": "The rule “{rule}” ({assignment}) gave it to {name}",
        },
        "assignment.why.proposed": {
            "zh": "规则“{rule}”（{assignment}）建议分配给{name}，等待确认",
            "en": "The rule “{rule}” ({assignment}) proposes {name}; it waits for confirmation",
        },
        "assignment.why.accepted": {
            "zh": "规则“{rule}”（{assignment}）建议{name}，已确认",
            "en": "The rule “{rule}” ({assignment}) proposed {name}, which was confirmed",
        },
        "assignment.why.changed": {
            "zh": "规则“{rule}”（{assignment}）的建议改派给{name}",
            "en": "The proposal of the rule “{rule}” ({assignment}) was changed to {name}",
        },
        "assignment.why.rejected": {
            "zh": "规则“{rule}”（{assignment}）的建议被拒绝",
            "en": "The proposal of the rule “{rule}” ({assignment}) was rejected",
        },
        "assignment.why.lapsed": {
            "zh": "规则“{rule}”（{assignment}）的建议已失效",
            "en": "The proposal of the rule “{rule}” ({assignment}) has lapsed",
        },
        "assignment.why.pooled": {
            "zh": "规则“{rule}”（{assignment}）把它放入{pool}",
            "en": "The rule “{rule}” ({assignment}) put it into {pool}",
        },
        "assignment.why.nobody": {
            "zh": "{assignment}没有找到合适的人",
            "en": "{assignment} found nobody",
        },
        "assignment.step.not_met": {"zh": "条件不满足", "en": "its condition is not met"},
        "assignment.step.nobody": {"zh": "没有合适的人", "en": "nobody fits"},
        "assignment.step.failed": {
            "zh": "选人策略出错，已跳过（{by}）",
            "en": "the strategy failed and was passed over ({by})",
        },
        "assignment.step.pool": {"zh": "放入{pool}", "en": "put into {pool}"},
        "assignment.step.chosen": {"zh": "选中{name}：{by}", "en": "{name} was chosen: {by}"},
        "assignment.by.round_robin": {"zh": "轮到他", "en": "it was their turn"},
        "assignment.by.least_loaded": {"zh": "负载最少", "en": "the smallest load"},
        "assignment.by.skill": {"zh": "具备技能且负载最少", "en": "has the skills, and the smallest load"},
        "assignment.by.weight": {"zh": "按权重轮到他", "en": "their turn by weight"},
        "assignment.by.expression": {"zh": "得分最高", "en": "the greatest figure"},
        "assignment.by.other": {"zh": "按“{by}”选人", "en": "by “{by}”"},
        "assignment.away": {"zh": "{name}不在", "en": "{name} is away"},
        "assignment.load": {"zh": "负载 {load}", "en": "load {load}"},
        "assignment.turns": {"zh": "已轮 {turns} 次", "en": "{turns} turns"},
        "pool.taken": {"zh": "已经被别人领走了。", "en": "Somebody else has taken it."},
        "pool.outsider": {"zh": "您不是“{pool}”的成员。", "en": "You are not a member of “{pool}”."},
        "pool.daily": {
            "zh": "今天在“{pool}”已领满 {limit} 条，明天再来。",
            "en": "You have claimed {limit} from “{pool}” today; come back tomorrow.",
        },
        "pool.holding": {
            "zh": "您持有的{label}已达上限 {limit} 条，先处理或退回一些。",
            "en": "You hold {limit} already, which is the limit ({label}); work through some or give some back.",
        },
        "pool.cooldown": {
            "zh": "原负责人要到 {until} 之后才能再领。",
            "en": "A former owner may claim it again after {until}.",
        },
        "pool.asked": {
            "zh": "{name}已申请领取，等待{waits_for}确认{until}。",
            "en": "{name} has asked for it; it waits for {waits_for}{until}.",
        },
        "pool.waiting": {
            "zh": "您已申请领取，等待{waits_for}确认{until}。",
            "en": "You have asked for it; it waits for {waits_for}{until}.",
        },
        "pool.until": {"zh": "（{until} 前）", "en": " (until {until})"},
        "pool.and_others": {"zh": "{names}等", "en": "{names} and others"},
        "pool.answered": {"zh": "这次领取申请已经处理过了。", "en": "This claim has been answered already."},
        "pool.agreed_by": {"zh": "{name}同意领取", "en": "agreed to by {name}"},
        "pool.agreed_late": {"zh": "超时自动同意领取", "en": "agreed to by itself, as nobody answered in time"},
        "pool.claim.waiting": {
            "zh": "{name}申请领取，等待{waits_for}确认{until}",
            "en": "{name} asked for it; it waits for {waits_for}{until}",
        },
        "pool.claim.accepted": {"zh": "{name}申请领取，{by}已同意", "en": "{name} asked for it; {by} agreed"},
        "pool.claim.rejected": {"zh": "{name}申请领取，{by}未同意", "en": "{name} asked for it; {by} turned it down"},
        "pool.claim.withdrawn": {"zh": "{name}撤回了领取申请", "en": "{name} asked for it and withdrew"},
        "pool.claim.lapsed": {
            "zh": "{name}的领取申请已失效：记录已去别处",
            "en": "{name} asked for it; the record went elsewhere",
        },
        "pool.told.asked": {
            "zh": "{name}申请从{pool}领取“{title}”，等您确认",
            "en": "{name} asks for “{title}” from {pool}; it waits for you",
        },
        "pool.told.agreed": {"zh": "{name}同意您领取“{title}”", "en": "{name} agreed: “{title}” is yours"},
        "pool.told.refused": {"zh": "{name}未同意您领取“{title}”", "en": "{name} turned down your claim of “{title}”"},
        "pool.managers_only": {
            "zh": "只有公海管理员可以直接放入或移出公海。",
            "en": "Only managers of the pool put records into it or move them out by hand.",
        },
        "pool.not_held": {"zh": "这条记录现在没有负责人。", "en": "Nobody holds this record."},
        "pool.not_accepted": {"zh": "“{pool}”不接收这条记录。", "en": "“{pool}” does not take this record."},
        "pool.same": {"zh": "记录已经在这个公海里了。", "en": "The record is in this pool already."},
        "pool.views": {
            "zh": "今天在“{pool}”可查看的 {limit} 条已用完。",
            "en": "You have opened {limit} records of “{pool}” today, which is the limit.",
        },
        "pool.told.warning": {
            "zh": "“{title}”{days} 天后将回收到{pool}：{reason}",
            "en": "“{title}” goes back to {pool} in {days} days: {reason}",
        },
        "pool.told.recycled": {
            "zh": "“{title}”已回收到{pool}：{reason}",
            "en": "“{title}” went back to {pool}: {reason}",
        },
        "pool.done.claimed": {"zh": "已领取，现在由您负责。", "en": "Claimed: it is yours now."},
        "pool.done.withdrawn": {"zh": "已撤回领取申请。", "en": "The claim is withdrawn."},
        "pool.done.agreed": {"zh": "已同意领取。", "en": "Agreed: the record has gone to who asked."},
        "pool.done.refused": {"zh": "未同意领取。", "en": "The claim is turned down."},
        "pool.done.returned": {"zh": "已退回{pool}。", "en": "Given back to {pool}."},
        "pool.done.assigned": {"zh": "已分配 {count} 条给{name}。", "en": "{count} assigned to {name}."},
        "pool.done.moved": {"zh": "已转入{pool}：{count} 条。", "en": "{count} moved to {pool}."},
        "pool.act.claim": {"zh": "领取", "en": "Claim"},
        "pool.act.ask": {"zh": "申请领取", "en": "Ask for it"},
        "pool.act.withdraw": {"zh": "撤回领取申请", "en": "Withdraw the claim"},
        "pool.act.agree": {"zh": "同意领取", "en": "Agree to the claim"},
        "pool.act.refuse": {"zh": "不同意领取", "en": "Turn the claim down"},
        "pool.act.return": {"zh": "退回公海", "en": "Give back to a pool"},
        "pool.act.assign": {"zh": "从公海分配", "en": "Assign from the pool"},
        "pool.act.move": {"zh": "转到其他公海", "en": "Move to another pool"},
        "pool.ask.reason": {"zh": "退回原因", "en": "Reason"},
        "pool.ask.pool": {"zh": "公海", "en": "Pool"},
        "pool.ask.person": {"zh": "分配给", "en": "Assign to"},
        "pool.ask.note": {"zh": "说明", "en": "Note"},
        "pool.ask.assignment": {"zh": "分配规则", "en": "Assignment"},
        "assignment.act.reassign": {"zh": "重新分配", "en": "Assign again"},
        "assignment.act.accept": {"zh": "确认分配", "en": "Confirm the assignment"},
        "assignment.act.change": {"zh": "改派", "en": "Assign to somebody else"},
        "assignment.act.reject": {"zh": "拒绝分配", "en": "Reject the assignment"},
        "pool.history.none": {"zh": "还没有归属变动。", "en": "It has not changed hands yet."},
        "pool.history.summary": {"zh": "共 {count} 次归属变动", "en": "It changed hands {count} times"},
        "replay.period": {
            "zh": "“{given}”不是期间，例如 last_month、30d、2026-02-01..2026-02-28。",
            "en": "“{given}” is no period; such as last_month, 30d, 2026-02-01..2026-02-28.",
        },
        "replay.errors": {
            "zh": "元数据有 {count} 个错误，先运行 octavo check。",
            "en": "The metadata have {count} errors; run octavo check first.",
        },
        "pool.nobody": {"zh": "无人", "en": "nobody"},
    }
)
