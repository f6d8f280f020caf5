"""Sample data."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "sample.busy": {
            "zh": "示例数据正在加载或移除，请等它完成。",
            "en": "Sample data are being loaded or removed: wait until that is done.",
        },
        "sample.none": {
            "zh": "本站点的模板包没有示例数据。",
            "en": "The packages of this site bring no sample data.",
        },
        "sample.there": {"zh": "示例数据已经加载。", "en": "Sample data were loaded already."},
        "sample.unknown": {"zh": "没有可以移除的示例数据。", "en": "There are no sample data to remove."},
        "sample.loaded": {"zh": "示例数据已加载。", "en": "Sample data are loaded."},
        "sample.removed": {
            "zh": "示例数据已移除：{removed} 条记录进入回收站，{kept} 条保留。",
            "en": "Sample data are removed: {removed} records are in the recycle bin, {kept} were kept.",
        },
        "sample.failed": {
            "zh": "示例数据加载失败：{problem}",
            "en": "Sample data could not be loaded: {problem}",
        },
    }
)
