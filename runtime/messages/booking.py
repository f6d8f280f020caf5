"""Answers of ledgers, numbers, prices and conversions."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        # ledgers
        "ledger_closed": {
            "zh": "台账分录只增不改：请用冲销分录更正。",
            "en": "Entries of a ledger are never changed or removed: correct them by a reversal.",
        },
        "balance_written": {
            "zh": "余额随分录自动更新，不能直接填写。",
            "en": "Balances are kept by their entries and cannot be written.",
        },
        "ledger_below": {"zh": "余额不足，可用 {available}。", "en": "Not enough: {available} available."},
        "ledger_no_reversal": {
            "zh": "冲销分录须与原分录维度相同、数量相反。",
            "en": "A reversal has the key of the entry it takes back, and its amount with the other sign.",
        },
        "ledger_reversal_of_reversal": {
            "zh": "冲销分录不能再冲销，请重新记一笔。",
            "en": "A reversal is not taken back; book a new entry.",
        },
        "ledger.reverse": {"zh": "冲销", "en": "Reverse"},
        "ledger.reverse_confirm": {
            "zh": "将新增一笔数量相反的分录，原分录保留。",
            "en": "An entry with the opposite amount is added; this one stays.",
        },
        "ledger.reversed_already": {"zh": "已冲销。", "en": "Taken back already."},
        "ledger.is_reversal": {"zh": "这是一笔冲销分录。", "en": "This is a reversal itself."},
        "ledger.reversed": {"zh": "已冲销。", "en": "The entry is taken back."},
        "ledger.may_not": {"zh": "您没有权限新增分录。", "en": "You are not allowed to add entries."},
        "ledger.explain_balance": {
            "zh": "余额 {balance} 为 {count} 笔分录之和。",
            "en": "The balance of {balance} is the sum of {count} entries.",
        },
        "ledger.explain_entry": {
            "zh": "分录 {amount}；此维度现余额 {balance}。",
            "en": "An entry of {amount}; its key now stands at {balance}.",
        },
        "ledger.used_lot": {"zh": "批次 {lot}", "en": "Lot {lot}"},
        "ledger.expires": {"zh": "有效期至 {day}", "en": "usable until {day}"},
        "ledger.left": {"zh": "余 {left}", "en": "{left} left"},
        # conversions
        "conversion.closed": {"zh": "条件不满足，暂不能转换。", "en": "The conditions for it are not met."},
        "conversion.done": {"zh": "已转：{title}", "en": "Converted already: {title}"},
        "conversion.nothing_left": {"zh": "明细已全部转出。", "en": "Nothing is left of the lines."},
        "conversion.nothing_taken": {"zh": "请至少取一行的数量。", "en": "Take something of at least one line."},
        "conversion.quantity": {
            "zh": "数量须在 0 与剩余 {left} 之间。",
            "en": "The quantity lies between 0 and the {left} that are left.",
        },
        "conversion.may_not": {"zh": "您没有权限新建{entity}。", "en": "You are not allowed to create: {entity}."},
        "conversion.may_not_change": {
            "zh": "您没有权限修改此记录。",
            "en": "You are not allowed to change this record.",
        },
        "conversion.hidden_match": {
            "zh": "已有相同的{entity}，但您无权查看；请联系其负责人或您的经理。",
            "en": "There is a matching record ({entity}) that you may not see; ask its owner or your manager.",
        },
        "conversion.existing": {"zh": "使用已有的{label}", "en": "Take an existing record: {label}"},
        "conversion.existing_help": {
            "zh": "留空则使用找到的同名记录，没有则新建。",
            "en": "Left empty, the one that was found is taken; where there is none, a new one is made.",
        },
        "conversion.new": {"zh": "仍新建{label}", "en": "Make a new one all the same: {label}"},
        "conversion.left": {"zh": "剩余 {left}", "en": "{left} left"},
        "conversion.made": {"zh": "已生成{label} {number}", "en": "Made: {label} {number}"},
        "conversion.undo": {"zh": "撤销：{label}", "en": "Undo: {label}"},
        "conversion.undo_confirm": {
            "zh": "此记录将作废，来源可再次转换。",
            "en": "This record is marked as undone, and its source can be converted again.",
        },
        "conversion.undo_closed": {"zh": "当前状态不能撤销。", "en": "Its present state does not allow this."},
        "conversion.undone": {"zh": "已撤销。", "en": "It is undone."},
        "conversion.is_open": {"zh": "可以转换", "en": "open"},
        "conversion.explained": {
            "zh": "{count} 个转换，其中 {open} 个可用。",
            "en": "{open} of {count} conversions are open.",
        },
        # prices
        "pricing.least": {"zh": "数量不能少于 {bound}。", "en": "The quantity is at least {bound}."},
        "pricing.most": {"zh": "数量不能多于 {bound}。", "en": "The quantity is at most {bound}."},
        "pricing.multiple": {"zh": "数量须为 {bound} 的整倍数。", "en": "The quantity is a multiple of {bound}."},
        "pricing.below_floor": {"zh": "价格低于底价 {floor}。", "en": "The price is below the lowest one, {floor}."},
        "pricing.explained": {"zh": "{count} 行明细的单价及原因。", "en": "The prices of {count} lines, and why."},
        "pricing.again": {"zh": "重新定价", "en": "Price again"},
        "pricing.by_hand": {"zh": "{count} 行手工定价也按规则重算", "en": "Also the {count} lines priced by hand"},
        "pricing.by_hand_help": {
            "zh": "不勾选则手工单价保留。",
            "en": "Left unticked, prices given by hand stay.",
        },
        "pricing.none_open": {
            "zh": "没有可重新定价的明细：单据已定稿，或价格来自报价。",
            "en": "No line is open to pricing: the document is settled, or its prices come from another one.",
        },
        "pricing.may_not_change": {"zh": "您没有权限修改此记录。", "en": "You are not allowed to change this record."},
        "pricing.priced_again": {
            "zh": "已按今天的价目重新定价：{count} 行中 {changed} 行单价变动。",
            "en": "Priced again: {changed} of {count} prices changed.",
        },
        "pricing.step.list": {"zh": "标价 {after}", "en": "List price {after}"},
        "pricing.step.price": {"zh": "价目“{label}”：{how}，得 {after}", "en": "Price list “{label}”: {how}, {after}"},
        "pricing.step.reduced": {
            "zh": "促销“{label}”：{how}，{before} → {after}",
            "en": "Promotion “{label}”: {how}, {before} → {after}",
        },
        "pricing.step.passed": {"zh": "未采用“{label}”（{how}）", "en": "Not taken: “{label}” ({how})"},
        "pricing.step.floor": {"zh": "低于底价 {after}", "en": "Below the lowest price, {after}"},
        "pricing.step.kept": {"zh": "保留手工定价 {after}", "en": "The price given by hand stays: {after}"},
        "pricing.method.price": {"zh": "定价 {value}", "en": "a price of {value}"},
        "pricing.method.off_list": {"zh": "标价减 {value} %", "en": "{value} % off the list price"},
        "pricing.method.markup_cost": {"zh": "成本加成", "en": "a markup on cost"},
        "pricing.method.margin_price": {"zh": "按售价毛利率", "en": "a margin on the price"},
        "pricing.method.off_price": {"zh": "再减 {value} %", "en": "{value} % off the price"},
        "pricing.method.less": {"zh": "立减 {value}", "en": "{value} less"},
        # numbers
        "numbers_exhausted": {
            "zh": "号码规则跳过了太多号码，请检查 skip 与 reserved。",
            "en": "The rule skips too many numbers in a row; look at its skip and reserved.",
        },
        "number.grant": {"zh": "授予保留号", "en": "Grant a reserved number"},
        "number.ask": {"zh": "保留的流水号", "en": "Reserved sequence"},
        "number.not_reserved": {
            "zh": "{digits} 不是保留号（{patterns}）。",
            "en": "{digits} is not among the reserved numbers ({patterns}).",
        },
        "number.granted_already": {"zh": "{number} 已授予过。", "en": "{number} was granted before."},
        "number.may_not": {
            "zh": "只有管理员或指定角色可以授予保留号。",
            "en": "Reserved numbers are granted by administrators and the roles named for it.",
        },
        "number.granted": {"zh": "已授予 {number}。", "en": "{number} is granted."},
    }
)
