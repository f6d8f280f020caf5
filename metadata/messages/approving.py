"""Problems of approvals and revisions."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "approval.no_steps": Message(
        "审批没有步骤",
        "The approval has no steps",
        "至少写一步，例如 {{name: manager, by: {{manager_of: owner}}}}。",
        "Write at least one step, such as {{name: manager, by: {{manager_of: owner}}}}.",
    ),
    "approval.no_fields": Message(
        "on: change 需要写明哪些字段变动",
        "on: change needs the fields whose change starts it",
        "例如 start: {{on: change, fields: [amount]}}。",
        "Such as start: {{on: change, fields: [amount]}}.",
    ),
    "approval.fields_unused": Message(
        "fields 只用于 on: change，这里是 on: {on}",
        "fields belong to on: change, and this is on: {on}",
        "删除 fields，或改为 on: change。",
        "Remove fields, or write on: change.",
    ),
    "approval.no_revisions": Message(
        "实体“{entity}”没有声明由“{name}”审批的变更（revisions）",
        "The entity “{entity}” declares no revisions with the approval “{name}”",
        "在实体上写 revisions: {{when: …, approval: …}}。",
        "Declare revisions: {{when: …, approval: …}} on the entity.",
    ),
    "approval.step_twice": Message(
        "步骤“{name}”出现两次",
        "The step “{name}” is there twice",
        "步骤名称在整个审批中唯一，并行的步骤也算。",
        "The names of steps are unique in an approval, those side by side included.",
    ),
    "approval.no_timeout": Message(
        "步骤“{name}”有 on_timeout 却没有 timeout",
        "The step “{name}” has on_timeout and no timeout",
        "加上期限，例如 timeout: 24wh。",
        "Give it a time, such as timeout: 24wh.",
    ),
    "approval.too_few": Message(
        "需要 {need} 人同意，但这里最多只有 {count}",
        "{need} must agree, and there are {count} at most",
        "减少 need，或增加审批人。",
        "Ask for fewer, or name more people.",
    ),
    "approval.group": Message(
        "并行的“{name}”至少要有两个步骤",
        "“{name}” is side by side and needs two steps at least",
        "再加一个步骤，或写成单独的步骤。",
        "Add another one, or write a single step.",
    ),
    "approval.group_key": Message(
        "“{key}”写在并行组“{name}”内的各个步骤上",
        "“{key}” belongs to the steps inside “{name}”",
        "移到 parallel 下的步骤里。",
        "Move it to the steps below parallel.",
    ),
    "approval.moved_there": Message(
        "步骤“{name}”还在，不能写在 moved 里",
        "The step “{name}” is still there and is no step to move from",
        "moved 只写已经删除的步骤。",
        "Only steps that are gone stand in moved.",
    ),
    "approval.moved_nowhere": Message(
        "moved 指向不存在的步骤“{name}”",
        "moved leads to the step “{name}”, which is not there",
        "写现有步骤的名称（并行组写组内的步骤）。",
        "Name a step that is there; inside a group, one of its steps.",
    ),
    "approval.state_open": Message(
        "审批通过才应设置的字段“{field}”，任何能编辑“{entity}”的人都可以直接改",
        "The field “{field}”, which the approval sets when it ends well, can be written by who may edit “{entity}”",
        "给该字段加 readonly: true，让它只由审批设置。",
        "Give the field readonly: true, so that only the approval sets it.",
    ),
    "revisions.of_lines": Message(
        "明细随“{entity}”一起变更，不能单独声明 revisions",
        "Lines change with “{entity}” and have no revisions of their own",
        "在主实体上声明。",
        "Declare them on the entity they belong to.",
    ),
    "revisions.number": Message(
        "版本号字段“{name}”应为只读整数",
        "The field “{name}” for the number of the version has to be a readonly integer",
        "写成 {{type: integer, readonly: true}}。",
        "Write {{type: integer, readonly: true}}.",
    ),
    "revisions.approval": Message(
        "审批“{name}”不是“{entity}”的变更审批",
        "The approval “{name}” is not one of changes to “{entity}”",
        "审批须写 entity: {entity} 与 start: {{on: revision}}。",
        "The approval says entity: {entity} and start: {{on: revision}}.",
    ),
}
