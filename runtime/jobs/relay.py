"""RQ as a doorbell: Redis carries the ids of jobs, the database says what they are and who may run them.

JSON is the only serializer (the default one would run whatever is put into Redis), and the only function a worker calls
is `run_job` with an id. A lost Redis loses rings, never jobs: the scheduler rings again for what is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Retry
from rq.serializers import JSONSerializer

from runtime.jobs.queue import is_due
from runtime.jobs.worker import Worker
from runtime.site import Site

QUEUE = "octavo"
RUN = "runtime.jobs.relay.run_job"
TIMEOUT = 3600


@lru_cache(maxsize=8)
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)


def queue_of(url: str) -> Queue:
    return Queue(QUEUE, connection=_redis(url), serializer=JSONSerializer)


def ring_redis(url: str, job_ids: Sequence[int]) -> None:
    """Puts the ids into the queue; a ring that is there already is not doubled."""
    queue = queue_of(url)
    for job_id in job_ids:
        queue.enqueue_call(
            RUN,
            args=(job_id,),
            job_id=f"octavo-{job_id}",
            timeout=TIMEOUT,
            result_ttl=0,
            failure_ttl=3600,
            retry=Retry(max=1),
        )


def sweep(site: Site, most: int = 500) -> int:
    """Rings for every job that is due; how many."""
    with site.session() as session:
        table = session.table("job")
        due = sa.select(table.c.id).where(is_due(table, session.now)).order_by(table.c.run_at).limit(most)
        ids = list(session.connection.scalars(due))
    if ids:
        ring_redis(site.settings.redis_url, ids)
    return len(ids)


@lru_cache(maxsize=1)
def _site() -> Site:
    """The site of this worker process (OCTAVO_SITE)."""
    return Site.open()


def run_job(job_id: int) -> None:
    """What RQ calls: runs the job if it is due and nobody has it."""
    Worker(_site()).run_once(int(job_id))


class RelayWorker(SimpleWorker):
    """An RQ worker that refuses everything but `run_job`, whatever somebody has put into Redis."""

    def perform_job(self, job: Any, *rest: Any, **named: Any) -> bool:
        if job.func_name != RUN:
            job.cancel()
            return False
        return bool(super().perform_job(job, *rest, **named))


def rq_worker(site: Site) -> RelayWorker:
    """The worker of `octavo worker`; its `work()` blocks."""
    connection = _redis(site.settings.redis_url)
    return RelayWorker([queue_of(site.settings.redis_url)], connection=connection, serializer=JSONSerializer)
