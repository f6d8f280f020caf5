"""Background jobs."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "job.unknown": {"zh": "没有名为“{name}”的任务。", "en": "There is no job called “{name}”."},
        "job.failed": {"zh": "任务“{name}”失败：{reason}", "en": "The job “{name}” failed: {reason}"},
        "job.parked": {
            "zh": "任务“{name}”多次失败，已搁置，等待管理员处理。",
            "en": "The job “{name}” failed several times and is parked for an administrator.",
        },
        "job.lost": {"zh": "任务在执行中断后重新开始。", "en": "The job was taken up again after its worker stopped."},
    }
)
