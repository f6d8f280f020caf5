"""Scores: what explanations say."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "score.none": {"zh": "没有可以查看的评分。", "en": "There is no score to be seen."},
        "score.given": {"zh": "{score}：{value} 分。", "en": "{score}: {value}."},
        "score.graded": {"zh": "{score}：{value} 分，等级 {grade}。", "en": "{score}: {value}, grade {grade}."},
        "score.not_applied": {"zh": "{score}：不适用于这条记录。", "en": "{score}: not for this record."},
        "score.hidden_part": {
            "zh": "这一项取决于您无权查看的字段",
            "en": "It depends on fields that you may not see",
        },
        "impact.score": {
            "zh": "评分“{name}”：{total} 条记录中 {count} 条分数改变，{regraded} 条等级改变{moves}。",
            "en": "Score “{name}”: {count} of {total} records get another score, {regraded} another grade{moves}.",
        },
        "impact.score_unknown": {
            "zh": "评分“{name}”读取尚未发布的字段，发布之后才能比较。",
            "en": "Score “{name}” reads fields that are not published yet: it can be compared only afterwards.",
        },
    }
)
