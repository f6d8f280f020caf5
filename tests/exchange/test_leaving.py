"""Files leave the storage once neither the recycle bin nor taking a change back could bring them back."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.errors import NotFound
from runtime.files import open_file, storage_of, sweep, upload
from runtime.files.leaving import purge_left
from runtime.records.undo import undo_change
from runtime.site import Site
from tests.exchange.test_attachments import PNG

KEEP = 30


@pytest.fixture
def kept(site: Site) -> Site:
    site.settings = replace(site.settings, bin_keep_days=KEEP)
    return site


def logo(site: Site, mark: bytes) -> int:
    with site.session(1, write=True) as session:
        return upload(session, io.BytesIO(PNG + mark), "标志.png")


def changed(site: Site, record: int, file: int | None) -> None:
    with site.session(1, write=True) as session:
        records.update(session, "firm", record, {"logo": file})


def readable(site: Site, file: int) -> bool:
    with site.session(None) as session:
        try:
            open_file(session, file).stream.close()
        except NotFound:
            return False
    return True


def nights(site: Site, days: int) -> int:
    """What the nightly job removes in so many nights."""
    removed = 0
    for _ in range(days):
        site.clock.advance(days=1)  # type: ignore[attr-defined]
        removed += purge_left(site)
    return removed


def test_a_replaced_picture_stays_as_long_as_the_bin_keeps_records(kept: Site) -> None:
    old, new = logo(kept, b"old"), logo(kept, b"new")
    with kept.session(1, write=True) as session:
        record = records.create(session, "firm", {"name": "甲", "logo": old}).id
    assert nights(kept, 2) == 0
    changed(kept, record, new)
    assert nights(kept, KEEP) == 0
    assert readable(kept, old)
    assert nights(kept, 2) == 1
    assert (readable(kept, old), readable(kept, new)) == (False, True)
    digests = set(storage_of(kept).older_than(-1))
    assert len(digests) == 2
    assert sweep(kept, older_than=timedelta(0)) == 1  # the content goes with the last file that refers to it
    with kept.session() as session:
        assert set(storage_of(kept).older_than(-1)) == set(
            session.connection.scalars(sa.select(session.table("file").c.digest))
        )


def test_a_change_taken_back_keeps_its_file(kept: Site) -> None:
    old, new = logo(kept, b"old"), logo(kept, b"new")
    with kept.session(1, write=True) as session:
        record = records.create(session, "firm", {"name": "甲", "logo": old}).id
    changed(kept, record, new)
    nights(kept, KEEP - 5)
    with kept.session(1, write=True) as session:
        audit = session.table("audit")
        last = session.connection.scalar(sa.select(sa.func.max(audit.c.id)).where(audit.c.action == "update"))
        undo_change(session, "firm", record, int(last or 0), "logo")
    assert nights(kept, 10) == 0
    assert readable(kept, old)
    assert nights(kept, KEEP) == 1  # the other one, which left when the change was taken back
    assert (readable(kept, old), readable(kept, new)) == (True, False)


def test_files_of_a_recycled_record_stay_until_it_is_purged(kept: Site) -> None:
    file = logo(kept, b"one")
    with kept.session(1, write=True) as session:
        record = records.create(session, "firm", {"name": "甲", "logo": file}).id
    with kept.session(write=True) as session:
        records.delete(session, "firm", record)
    assert nights(kept, KEEP * 2) == 0
    with kept.session(write=True) as session:
        records.purge(session, "firm", record)
    assert nights(kept, 1) == 1
    assert not readable(kept, file)


def test_nothing_leaves_where_the_bin_keeps_for_ever(site: Site) -> None:
    old = logo(site, b"old")
    with site.session(1, write=True) as session:
        record = records.create(session, "firm", {"name": "甲", "logo": old}).id
    changed(site, record, None)
    assert nights(site, 5) == 0
    site.clock.advance(days=4000)  # type: ignore[attr-defined]
    assert purge_left(site) == 0
    assert readable(site, old)
