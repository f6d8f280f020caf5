"""package: what a package is called, which version it has, what it needs."""

from __future__ import annotations

from metadata.kinds.base import Kind, register
from metadata.kinds.shape import NAME, Prop, flag, text, texts


@register
class Package(Kind):
    word = "package"
    folder = "."
    called = {"zh": "扩展包", "en": "Package"}
    about = {
        "zh": "扩展包的名称、版本与依赖，写在包根目录的 package.yaml 中。",
        "en": "Name, version and needs of a package, in `package.yaml` at its root.",
    }
    example = """
package: visits
version: "1.0"
label: {zh: 拜访管理, en: Visits}
requires: {octavo: ">=0.1"}
"""
    version = text(required=True, zh="版本（PEP 440，加引号）", en="version by PEP 440, quoted")
    label = texts(zh="名称", en="label")
    description = texts(zh="说明", en="what it is for")
    requires = Prop(
        schema={
            "type": "object",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"type": "string", "maxLength": 200},
        },
        zh="依赖的包与版本范围",
        en="packages it needs, with their version ranges",
    )
    code = flag(zh="含 Python 代码，由运维安装", en="brings Python; installed by the operator")
    author = text(zh="作者", en="author")
    license = text(zh="许可", en="license")
    homepage = text(zh="主页", en="home page")
