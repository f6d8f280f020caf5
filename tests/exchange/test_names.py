"""Names, kinds and storage of uploads, without a site."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from runtime.errors import NotFound, TooBig, WrongMedia
from runtime.files.names import content_disposition, safe_name
from runtime.files.sniff import image_size, media_type
from runtime.files.storage import Storage

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")


@pytest.mark.attack("N61", "N65")
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("合同.pdf", "合同.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("//server/share/x.doc", "x.doc"),
        ("\x00\r\n", "file"),
        ("..", "file"),
        ("", "file"),
        ('"><img src=x>.png', "__img src=x_.png"),
        ("a\r\nSet-Cookie: x.png", "x.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("报价单. ", "报价单"),
        ("\ud800.png", "png"),
    ],
)
def test_a_name_is_made_safe(raw: str, expected: str) -> None:
    assert safe_name(raw).strip("_ ") == expected.strip("_ ")


@pytest.mark.attack("N61")
@pytest.mark.parametrize(
    "raw", ["名" * 300 + ".pdf", "a" * 5000, "x" * 300 + ".tar.gz", '"\r\n; filename=evil.html', "名\u2028.pdf"]
)
def test_a_header_is_one_line_of_ascii(raw: str) -> None:
    header = content_disposition(raw)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert len(safe_name(raw).encode()) <= 240
    assert header.startswith("attachment; ")


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("名" * 300 + ".pdf").endswith(".pdf")
    assert "filename*=UTF-8''%E5%90%88%E5%90%8C.pdf" in content_disposition("合同.pdf")


@pytest.mark.attack("N66")
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.exe", b"MZ"),
        ("a.pdf", b"MZ\x90"),
        ("a.PhP", b"<?php"),
        ("a.jpg.php", b"\xff\xd8\xff"),
        ("a.php.", b"x"),
        ("a.png", b"<html>"),
        ("a.png", b"  <svg onload=alert(1)>"),
        ("a.txt", b"\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00"),
        ("a.jpg", PNG),
        ("a.docx", b"%PDF-1.4"),
        ("run", b"#!/bin/sh"),
    ],
)
def test_what_can_run_or_lies_is_refused(name: str, head: bytes) -> None:
    with pytest.raises(WrongMedia):
        media_type(name, head)


def test_what_a_file_is() -> None:
    assert media_type("标志.PNG", PNG) == "image/png"
    assert media_type("表.csv", "姓名,电话\n".encode("gb18030")) == "text/csv"
    assert media_type("a.svg", b"<svg/>") == "image/svg+xml"
    assert media_type("a.bin", b"\x00\x01") == "application/octet-stream"
    assert media_type("readme", b"<b>text") == "application/octet-stream"
    assert image_size(PNG) == (640, 480)


def test_equal_contents_are_kept_once(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "files"))
    first = storage.put(io.BytesIO(b"same"))
    second = storage.put(io.BytesIO(b"same"))
    assert first.digest == second.digest
    assert storage.open(first.digest).read() == b"same"
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1
    assert list(storage.older_than(0)) == [first.digest]
    storage.remove(first.digest)
    assert not storage.exists(first.digest)


def test_too_much_leaves_nothing_behind(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "files"))
    with pytest.raises(TooBig):
        storage.put(io.BytesIO(b"x" * 100), most=99)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.attack("N65")
@pytest.mark.parametrize(
    "digest", ["../../canary", "..\\canary", "%2e%2e%2fcanary", "/etc/passwd", "\x00", "\\\\host\\x", "A" * 64]
)
def test_no_path_gets_out_of_the_storage(tmp_path: Path, digest: str) -> None:
    (tmp_path / "canary").write_bytes(b"alive")
    storage = Storage(str(tmp_path / "files"))
    with pytest.raises(NotFound):
        storage.open(digest)
    with pytest.raises(NotFound):
        storage.remove(digest)
    assert (tmp_path / "canary").read_bytes() == b"alive"
