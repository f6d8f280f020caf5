"""Background jobs: enqueued in the transaction that wants them, run at least once, their database effects exactly once.

@job("send_message")                       # a name, registered by import; nothing else can be enqueued
def send_message(session, payload): ...    # runs in one transaction that also notes that it is done

enqueue(session, "send_message", {"id": 7}, unique_key="message:7", order_key="customer:3")
"""

from runtime.jobs.queue import enqueue
from runtime.jobs.registry import job, long_job, schedule
from runtime.jobs.worker import EmbeddedWorker, Worker

__all__ = ["EmbeddedWorker", "Worker", "enqueue", "job", "long_job", "schedule"]
