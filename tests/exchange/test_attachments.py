"""Uploads: staged, taken by a record, readable by whoever may read it, swept when nobody took them."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.errors import NotFound, Refused, WrongMedia
from runtime.files import Use, link_files, open_file, storage_of, sweep, upload
from runtime.files.sniff import media_type
from runtime.site import Site

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


def staged(site: Site, user_id: int | None, content: bytes = PNG, name: str = "标志.png") -> int:
    with site.session(user_id, write=True) as session:
        return upload(session, io.BytesIO(content), name)


def firm(site: Site, owner: int) -> int:
    with site.session(write=True) as session:
        return records.create(session, "firm", {"name": "甲", "owner": owner}).id


def read(site: Site, user_id: int | None, file_id: int) -> bytes:
    with site.session(user_id) as session:
        return open_file(session, file_id).stream.read()


@pytest.mark.attack("N65")
def test_a_staged_file_is_its_uploaders_alone(site: Site) -> None:
    file_id = staged(site, 1)
    assert read(site, 1, file_id) == PNG
    for other in (2, 3):
        with pytest.raises(NotFound):
            read(site, other, file_id)


def test_a_file_is_read_with_the_rights_of_its_record(site: Site) -> None:
    file_id, record_id = staged(site, 1), firm(site, owner=1)
    with site.session(1, write=True) as session:
        assert link_files(session, [Use("firm", record_id, "notes", file_id)]) == []
    assert read(site, 1, file_id) == PNG
    assert read(site, 3, file_id) == PNG  # reads all firms
    with pytest.raises(NotFound):
        read(site, 2, file_id)  # reads only firms of their own
    with site.session(write=True) as session:
        records.delete(session, "firm", record_id)
    with pytest.raises(NotFound):
        read(site, 1, file_id)


@pytest.mark.attack("N97")
def test_a_file_under_a_hidden_field_is_hidden(site: Site) -> None:
    file_id, record_id = staged(site, None), firm(site, owner=1)
    with site.session(write=True) as session:
        assert link_files(session, [Use("firm", record_id, "salary", file_id)]) == []
    with pytest.raises(NotFound):
        read(site, 1, file_id)


@pytest.mark.attack("N65", "N97")
def test_nobody_takes_the_file_of_another(site: Site) -> None:
    file_id, mine, theirs = staged(site, 1), firm(site, owner=1), firm(site, owner=2)
    with site.session(2, write=True) as session:
        assert [p.code for p in link_files(session, [Use("firm", theirs, "notes", file_id)])] == ["file.not_yours"]
    with site.session(1, write=True) as session:
        assert link_files(session, [Use("firm", mine, "notes", file_id)]) == []
        assert link_files(session, [Use("firm", mine, "notes", file_id)]) == []
        assert len(link_files(session, [Use("firm", theirs, "notes", file_id)])) == 1
        assert len(link_files(session, [Use("firm", mine, "notes", 10**9)])) == 1


def test_bad_uploads_are_refused_and_leave_no_row(site: Site) -> None:
    with pytest.raises(WrongMedia):
        staged(site, 1, b"MZ", "a.pdf")
    with pytest.raises(Refused):
        staged(site, 1, b"", "a.txt")
    with site.session() as session:
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(session.table("file"))) == 0


def test_what_no_record_took_is_swept(lite: Site) -> None:
    kept, lost, record_id = staged(lite, 1, PNG + b"kept"), staged(lite, 1, PNG + b"lost"), firm(lite, owner=1)
    with lite.session(1, write=True) as session:
        link_files(session, [Use("firm", record_id, "notes", kept)])
    storage_of(lite).put(io.BytesIO(b"no row refers to this"))
    lite.clock.advance(hours=2)  # type: ignore[attr-defined]
    assert sweep(lite, older_than=timedelta(0)) == 2
    assert read(lite, 1, kept) == PNG + b"kept"
    with pytest.raises(NotFound):
        read(lite, 1, lost)


def test_a_record_takes_its_file_when_it_is_saved(site: Site) -> None:
    first, second = staged(site, 1), staged(site, 1, PNG + b"2")
    with site.session(1, write=True) as session:
        record_id = records.create(session, "firm", {"name": "甲", "logo": first}).id
    assert read(site, 3, first) == PNG
    with site.session(1, write=True) as session:
        records.update(session, "firm", record_id, {"logo": str(second)})
        records.update(session, "firm", record_id, {"logo": first})
    with site.session(1) as session:
        assert records.read(session, "firm", record_id, ["logo"]).titles["logo"] == "标志.png"


@pytest.mark.attack("N65", "N97")
def test_a_record_cannot_be_saved_with_the_file_of_another(site: Site) -> None:
    theirs, taken = staged(site, 2), staged(site, 1)
    with site.session(1, write=True) as session:
        records.create(session, "firm", {"name": "甲", "logo": taken})
    for file_id in (theirs, taken, 10**9):
        with site.session(1, write=True) as session, pytest.raises(Refused) as caught:
            records.create(session, "firm", {"name": "乙", "logo": file_id})
        assert [(p.field, p.code) for p in caught.value.problems] == [("logo", "file.not_yours")]
    fresh = staged(site, 1)
    with site.session(1, write=True) as session, pytest.raises(Refused):
        records.create_many(session, "firm", [{"name": "丙", "logo": fresh}, {"name": "丁", "logo": fresh}])


@pytest.mark.parametrize(
    ("head", "taken"),
    [
        (b"name,notes\nA,<script>alert(1)</script>\n", True),
        ("\ufeff名称;备注\n甲;<img src=x>\n".encode(), True),
        ("name\tnotes\nA\t<style>\n".encode("utf-16"), True),
        (b"<html>,<body>\nx,y\n", False),
        (b"\n\n<!doctype html>\na,b\n", False),
        (b"no columns\n<script>\n", False),
    ],
)
def test_a_table_whose_cells_hold_tags_is_a_table(head: bytes, taken: bool) -> None:
    if taken:
        assert media_type("a.csv", head) == "text/csv"
        return
    with pytest.raises(WrongMedia):
        media_type("a.csv", head)
