"""AD and CU-04…06: what an administrator defines, and where it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.packages import load_texts
from runtime import records
from runtime.bootstrap import init_site
from runtime.commands import packages
from runtime.publishing import layers
from runtime.publishing.publish import plan, publish
from runtime.query.select import Query, run
from runtime.settings import throwaway_settings
from runtime.site import Site
from tests.acceptance.conftest import World

CAPITAL = """
extend: customer
fields:
  paid_in: {type: money, label: {zh: 实缴资本, en: Paid-in capital}}
---
extend: {form: customer}
tabs:
  - name: profile
    sections:
      - {name: standing, label: {zh: 资质, en: Standing}, columns: 2, fields: [paid_in]}
---
extend: {list: customer}
columns: [paid_in]
"""


def publish_site(site: Site, text: str) -> int:
    below = [layer for layer in layers.folder_layers(site.settings) if layer.name != layers.SITE]
    return publish(site, [*below, load_texts({"admin.yaml": text}, layers.SITE)], "定制")


@pytest.mark.mission("CU-04")
def test_a_new_section_shows_at_the_next_page(f: World) -> None:
    publish_site(f.site, CAPITAL)
    sections = {s.name: s for tab in f.site.application().form_for("customer").tabs for s in tab.sections}
    assert (sections["standing"].label.of("zh"), sections["standing"].columns) == ("资质", 2)


def test_a_new_field_is_there_in_every_channel(f: World) -> None:
    publish_site(f.site, CAPITAL)
    k1 = f.k("K1")
    f.update("zhangsan", "customer", k1, paid_in="1,000,000")
    assert f.list("zhangsan", "customer", "paid_in >= 1000000", of="short_name") == ["K1"]
    assert f.api("zhangsan", "GET", f"/customer/{k1}").json["paid_in"]["amount"] in ("1000000.00", "1000000")
    assert "paid_in" in str(f.api("admin", "GET", "/openapi.json").json)


@pytest.mark.mission("CU-34")
def test_an_advanced_query_nests_groups_and_knows_custom_fields(f: World) -> None:
    publish_site(f.site, CAPITAL)
    f.update("vp", "customer", f.k("K5"), paid_in=3000000)
    where = (
        "(region.code == 'east' and (stage == 'repeat' or (industry.code == 'C39' and paid_in >= 3000000)))"
        " or (region.code == 'south' and not (scale is None))"
    )
    assert sorted(f.list("vp", "customer", where, of="short_name")) == ["K1", "K5", "S7"]


@pytest.mark.mission("AD-08")
def test_the_same_application_runs_on_both_databases(database_url: str, tmp_path: Path) -> None:
    settings = throwaway_settings(tmp_path / "site", database_url=database_url)
    with init_site(tmp_path / "site", settings=settings, admin_password="octavo-admin").site as site:
        with site.session(write=True) as session:
            saved = records.create(session, "customer", {"name": "零件制造有限公司", "uscc": "91310000MA1K8888XD"})
            deal = {"name": "商机", "customer": saved.id, "manual_amount": 1235000, "est_cost": 835000}
            records.create(session, "opportunity", deal | {"owner": 1})
        with site.session() as session:
            found = run(session, Query(entity="customer", select=("name", "opp_open", "open_amount")))
        assert [tuple(row.values.values()) for row in found.rows] == [("零件制造有限公司", 1, 1235000)]


def test_every_label_speaks_both_languages(f: World) -> None:
    app = f.site.application()
    texts = [field.label for e in app.entities.values() if not e.platform for field in e.own_fields]
    texts += [choice.label for options in app.options.values() for choice in options.choices]
    texts += [report.label for report in app.reports.values()]
    assert [t for t in texts if not {"zh", "en"} <= set(t.values)] == []


RISK = """
extend: opportunity
fields:
  budget_known: {type: boolean, default: false, label: {zh: 预算已确认, en: Budget confirmed}}
---
extend: {form: opportunity}
tabs:
  - name: profile
    sections:
      - {name: budget, label: {zh: 预算, en: Budget}, columns: 2, fields: [budget_known]}
---
extend: {list: opportunity}
columns: [budget_known]
filters: [budget_known]
"""


@pytest.mark.mission("OP-08")
def test_a_custom_field_serves_record_query_and_list_without_a_restart(f: World) -> None:
    deal = f.create("zhangsan", "opportunity", name="商机甲", customer=f.k("K1"))
    f.create("zhangsan", "opportunity", name="商机乙", customer=f.k("K1"))
    publish_site(f.site, RISK)
    f.update("zhangsan", "opportunity", deal, budget_known=True)
    assert f.read("zhangsan", "opportunity", deal)["budget_known"] is True
    assert f.list("zhangsan", "opportunity", "budget_known") == ["商机甲"]
    listed = f.site.application().list_for("opportunity")
    assert "budget_known" in [column.key for column in listed.columns]
    assert ("budget_known",) in [chosen.path for chosen in listed.filters]
    form = f.site.application().form_for("opportunity")
    assert "budget_known" in [i.field for tab in form.tabs for section in tab.sections for i in section.items]


@pytest.mark.mission("AD-05")
def test_what_a_site_declares_travels_as_a_package_with_a_plan_before(f: World, tmp_path: Path) -> None:
    publish_site(f.site, CAPITAL)
    packages.export(f.site, "capital", tmp_path / "capital")
    with init_site(tmp_path / "other", admin_password="octavo-admin").site as other:
        wanted = layers.folder_layers(other.settings, [tmp_path / "capital"])
        planned = plan(other, wanted)
        assert "paid_in" in str(planned.plan.steps)
        assert "paid_in" not in other.application().entities["customer"].fields
        packages.install(other, tmp_path / "capital", accept=True)
        other.refresh()
        assert "paid_in" in other.application().entities["customer"].fields
        sections = {s.name for tab in other.application().form_for("customer").tabs for s in tab.sections}
    assert "standing" in sections
