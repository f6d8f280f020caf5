"""The import wizard: what the preview promises, the run does; texts are given a meaning; undone within a day."""

from __future__ import annotations

import io
import re

import pytest
from python_calamine import CalamineWorkbook

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser

HEADER = "客户名称*,简称,行业,来源,年营业额"


def upload(browser: Browser, lines: list[str], encoding: str = "utf-8", name: str = "客户.csv") -> str:
    """The address of the page of columns."""
    browser.get(f"/e/{ENTITY}/import")
    content = "\r\n".join(lines).encode(encoding)
    sent = {"file": (io.BytesIO(content), name)}
    answer = browser.post(f"/e/{ENTITY}/import", sent, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def chosen(page: str, **more: str) -> dict[str, object]:
    """The form of the page of columns as it stands."""
    rows = re.findall(r'name="header" value="([^"]*)">.*?<select[^>]*name="target".*?</select>', page, re.DOTALL)
    selects = re.findall(r'<select class="form-select" name="target".*?</select>', page, re.DOTALL)
    targets = [(re.search(r'value="([^"]*)" selected', s) or ["", ""])[1] for s in selects]
    return {"header": rows, "target": targets, "run": "dry", **more}


def figures(page: str) -> list[int]:
    """New, changed, unchanged, (skipped,) refused."""
    return [int(n.replace(",", "")) for n in re.findall(r"<dd>([\d,]+)</dd>", page)]


def tried(browser: Browser, lines: list[str], **more: str) -> str:
    """The address of the trial of a file, its columns as proposed."""
    address = upload(browser, lines)
    answer = browser.post(address, chosen(browser.get(address).text, **more))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def count(site: Site, start: str) -> int:
    with site.session() as session:
        table = session.table(ENTITY)
        living = table.select().where(table.c.name.startswith(start), table.c.deleted_at.is_(None))
        return len(session.connection.execute(living).all())


def test_a_trial_promises_what_the_run_does_and_the_same_file_changes_nothing(admin: Browser, site: Site) -> None:
    lines = [
        HEADER,
        *(f"试导{n}有限公司,试{n},通用设备制造业,展会,{n}000" for n in range(5)),
        "试导坏有限公司,,不存在的行业,展会,很多",
    ]
    trial = tried(admin, lines)
    page = admin.get(trial).text
    assert figures(page) == [5, 0, 0, 1]
    assert "“很多”不是数字" in page
    assert "找不到“不存在的行业”" in page
    assert count(site, "试导") == 0
    done = admin.post(f"{trial}/run").headers["Location"]
    assert figures(admin.get(done).text) == [5, 0, 0, 1]
    assert count(site, "试导") == 5
    again = tried(admin, lines)
    page = admin.get(again).text
    assert "此文件已导入过" in page
    assert figures(page) == [0, 0, 5, 1]
    assert admin.post(f"{again}/run").headers["Location"] == done
    assert count(site, "试导") == 5
    undone = admin.get(admin.post(f"{done}/undo").headers["Location"]).text
    assert "移除 5 条" in undone
    assert count(site, "试导") == 0
    assert admin.post(f"{done}/undo").status_code == 409


def test_undo_leaves_alone_what_somebody_changed_since(admin: Browser, site: Site) -> None:
    done = admin.post(f"{tried(admin, [HEADER, '撤一有限公司,撤一,,,1', '撤二有限公司,撤二,,,2'])}/run").headers[
        "Location"
    ]
    with site.session(write=True) as session:
        from runtime import records

        table = session.table(ENTITY)
        one = session.connection.scalar(
            table.select().with_only_columns(table.c.id).where(table.c.name == "撤二有限公司")
        )
        assert one is not None
        records.update(session, ENTITY, one, {"employees": 5})
    page = admin.get(admin.post(f"{done}/undo").headers["Location"]).text
    assert "移除 1 条" in page
    assert f'<a href="/e/{ENTITY}/{one}">撤二有限公司</a>' in page
    assert count(site, "撤") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_found_and_the_header_below_a_title(admin: Browser, encoding: str) -> None:
    page = admin.get(
        upload(admin, ["客户清单,,,,", "", HEADER, "编码有限公司,编,通用设备制造业,展会,1"], encoding)
    ).text
    assert re.search(r'<option value="3" selected>3: 客户名称', page)
    assert chosen(page)["target"] == ["name", "short_name", "industry", "source", "annual_revenue"]


def test_the_header_row_can_be_chosen(admin: Browser) -> None:
    address = upload(admin, ["客户名称,简称", "甲公司,甲", "乙公司,乙"])
    page = admin.get(f"{address}?header_row=2").text
    assert chosen(page)["header"] == ["甲公司", "甲"]
    assert admin.get(f"{address}?header_row=9").status_code == 422


def test_columns_are_remembered_for_the_same_headers(admin: Browser) -> None:
    header = "公司,别名,说明三"
    form = {"header": header.split(","), "target": ["name", "", "description"], "run": "dry"}
    admin.post(upload(admin, [header, "记住有限公司,x,y"]), form)
    page = admin.get(upload(admin, [header, "另一有限公司,x,y"])).text
    assert chosen(page)["target"] == ["name", "", "description"]


def test_what_is_there_is_changed_or_skipped_as_asked(admin: Browser, site: Site) -> None:
    admin.post(f"{tried(admin, [HEADER, '旧客一有限公司,旧一,,,1'])}/run")
    lines = [HEADER, "旧客一有限公司,改名,,,1", "旧客二有限公司,旧二,,,2"]
    for mode, expected in (("both", [1, 1, 0, 0]), ("add", [1, 0, 0, 1, 0]), ("update", [0, 1, 0, 1, 0])):
        assert figures(admin.get(tried(admin, lines, match="name", mode=mode)).text) == expected
    trial = tried(admin, lines, match="name", mode="add")
    admin.post(f"{trial}/run")
    assert count(site, "旧客") == 2
    address = upload(admin, lines)
    without = admin.post(address, chosen(admin.get(address).text, mode="update"))
    assert without.status_code == 422


def test_unknown_texts_are_given_a_meaning(admin: Browser, site: Site) -> None:
    lines = [
        HEADER,
        "义一有限公司,义一,,电台广告,1",
        "义二有限公司,义二,造船的,电台广告,2",
        "义三有限公司,义三,,路边牌,3",
    ]
    trial = tried(admin, lines)
    page = admin.get(trial).text
    texts = re.findall(r'name="text\.(\d+)" value="([^"]+)"', page)
    assert {text for _, text in texts} == {"电台广告", "造船的", "路边牌"}
    with site.session() as session:
        table = session.table("industry")
        known = session.connection.scalar(table.select().with_only_columns(table.c.id).order_by(table.c.id))
    meanings = {"电台广告": "+", "路边牌": ""}
    form = {f"text.{i}": text for i, text in texts} | {f"meaning.{i}": meanings.get(text, "!") for i, text in texts}
    form |= {f"record.{i}": str(known) for i, text in texts if text == "造船的"}
    again = admin.post(f"{trial}/values", form).headers["Location"]
    assert figures(admin.get(again).text) == [3, 0, 0, 0]
    admin.post(f"{again}/run")
    made = next(c for c in site.application().options["source"].choices if c.label.of("zh") == "电台广告")
    with site.session() as session:
        table = session.table(ENTITY)
        rows = session.connection.execute(
            table.select()
            .with_only_columns(table.c.short_name, table.c.source, table.c.industry)
            .where(table.c.name.startswith("义"))
        )
        found = {row.short_name: (row.source, row.industry) for row in rows}
    assert found == {"义一": (made.name, None), "义二": (made.name, known), "义三": (None, None)}


def test_the_template_has_a_column_for_every_field_one_may_fill(admin: Browser) -> None:
    answer = admin.get(f"/e/{ENTITY}/import/template")
    header = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()[0]
    assert header[0] == "客户名称*"
    assert "年营业额" in header
    assert "客户编号" not in header


def test_an_import_is_its_persons_alone(admin: Browser, anonymous: Browser, seller_login: str) -> None:
    trial = tried(admin, [HEADER, "私有限公司,私,,,1"])
    anonymous.sign_in(seller_login)
    for path in ("", "/run", "/undo", "/values"):
        answer = anonymous.post(trial + path) if path else anonymous.get(trial)
        assert answer.status_code == 404, path


PEOPLE = "客户名称,简称,联系人/姓名,联系人/手机,联系人/决策角色"


def test_customers_with_their_contacts_in_one_sheet(admin: Browser, site: Site) -> None:
    """The trial tells both, the run does what it told, the same sheet again changes nothing, undo takes both back."""
    lines = [PEOPLE, "同表甲有限公司,同甲,张同一,13800138001,", ",,李同二,,", "同表乙有限公司,同乙,,,"]
    bad = ["同表坏有限公司,同坏,王同三,12,", ",,赵同四,,没有的角色"]
    address = upload(admin, [*lines, *bad])
    page = admin.get(address).text
    form = chosen(page)
    assert form["target"] == ["name", "short_name", "contacts.name", "contacts.mobile", "contacts.decision_role"]
    assert '<optgroup label="联系人">' in page
    trial = admin.post(address, form | {"match": "name"}).headers["Location"]
    page = admin.get(trial).text
    assert figures(page) == [2, 0, 0, 2]
    assert "联系人: 新建 2 条，更新 0 条，不变 0 条，跳过 0 条" in page
    assert "联系人/手机：“12”不是有效的电话号码" in page
    assert "没有的角色" in page
    assert count(site, "同表") == 0
    done = admin.post(f"{trial}/run").headers["Location"]
    assert "联系人: 新建 2 条" in admin.get(done).text
    people = admin.get("/e/contact?q=同").text
    assert all(name in people for name in ("张同一", "李同二", "同表甲有限公司"))
    again = tried(admin, [*lines, ""], match="name")
    page = admin.get(again).text
    assert figures(page) == [0, 0, 2, 0]
    assert "联系人: 新建 0 条，更新 0 条，不变 2 条，跳过 0 条" in page
    undone = admin.get(admin.post(f"{done}/undo").headers["Location"]).text
    assert "移除 4 条" in undone
    assert (count(site, "同表"), "张同一" in admin.get("/e/contact?q=同").text) == (0, False)


def test_the_key_of_related_records_must_be_a_column(admin: Browser) -> None:
    address = upload(admin, ["客户名称,联系人姓名", "同键有限公司,张三"])
    form = chosen(admin.get(address).text)
    refused = admin.post(address, form | {"within.contacts": "mobile"})
    assert refused.status_code == 422
    assert "contacts.mobile" in refused.text
    assert re.search(r'name="within.contacts">.*?value="mobile" selected', refused.text, re.DOTALL)


def test_the_template_takes_related_records_along(admin: Browser) -> None:
    plain = CalamineWorkbook.from_filelike(io.BytesIO(admin.get(f"/e/{ENTITY}/import/template").data))
    more = CalamineWorkbook.from_filelike(io.BytesIO(admin.get(f"/e/{ENTITY}/import/template?with=contacts").data))
    added = set(more.get_sheet_by_index(0).to_python()[0]) - set(plain.get_sheet_by_index(0).to_python()[0])
    assert {"联系人/姓名*", "联系人/手机"} <= added
    assert all(name.startswith("联系人/") for name in added)
    assert "联系人/客户*" not in added


def test_lists_are_offered_for_a_sheet_that_has_other_names(admin: Browser) -> None:
    address = upload(admin, ["客户名称,谁", "同选有限公司,张三"])
    assert '<optgroup label="联系人">' not in admin.get(address).text
    page = admin.get(f"{address}?with=contacts").text
    assert '<option value="contacts.name">联系人/姓名</option>' in page
    assert '<option value="contacts.customer">' not in page
