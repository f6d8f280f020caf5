"""Problems of forms for people outside."""

from __future__ import annotations

from metadata.messages.base import Message

MESSAGES: dict[str, Message] = {
    "webform.entity": Message(
        "网站表单不能写入“{entity}”：它是行项目或平台实体",
        "A web form cannot write “{entity}”: it is a line or an entity of the platform",
        "写入它的主记录，或换一个实体。",
        "Write what it is a line of, or another entity.",
    ),
    "webform.admin": Message(
        "角色“{role}”可管理站点，不能给网站表单用",
        "The role “{role}” may administer the site: a web form must not have it",
        "为表单声明一个只能新建的角色。",
        "Declare a role for the form that can create and nothing else.",
    ),
    "webform.create": Message(
        "角色“{role}”不能新建“{entity}”",
        "The role “{role}” cannot create “{entity}”",
        "在角色里写 {entity}: {create: all}。",
        "Grant it in the role: {entity}: {create: all}.",
    ),
    "webform.closed": Message(
        "角色“{role}”看不到或不能写字段“{name}”",
        "The role “{role}” does not see or cannot write the field “{name}”",
        "从角色的 hide 或 read_only 里去掉它，或从表单里去掉它。",
        "Take it out of the role's hide or read_only, or out of the form.",
    ),
    "webform.field": Message(
        "字段“{name}”不能由网站访客填写",
        "The field “{name}” cannot be filled in by people outside",
        "计算的、只读的、敏感的字段不行；可用的类型：{known}。",
        "Computed, read-only and sensitive fields cannot; types that can: {known}.",
    ),
    "webform.twice": Message(
        "字段“{name}”被写了两次",
        "The field “{name}” is written twice",
        "一个字段只能来自 fields、query、set、consent 之一。",
        "A field comes from one of fields, query, set and consent.",
    ),
    "webform.consent": Message(
        "记录同意的字段“{name}”不是布尔字段",
        "The field “{name}” that keeps the consent is no boolean",
        "换一个布尔字段，或省略 field。",
        "Name a boolean field, or leave field out.",
    ),
    "webform.parameter": Message(
        "地址参数“{name}”由页面自己使用",
        "The page itself uses the parameter “{name}”",
        "用 parameter 换一个名称。",
        "Give it another name by parameter.",
    ),
    "webform.empty": Message(
        "表单里没有字段",
        "The form has no fields",
        "在 fields 里至少写一个字段。",
        "Write at least one field into fields.",
    ),
    "webform.missing": Message(
        "“{entity}”的必填字段 {fields} 在表单里没有值",
        "The form gives no value to fields “{entity}” requires: {fields}",
        "加入 fields，或用 set 给出值。",
        "Add them to fields, or give them values by set.",
    ),
}
