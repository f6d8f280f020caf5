"""What people are told: live on the bell, gathered under its rule, put off and back again, marked as read in one go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runtime import records
from runtime.jobs.queue import enqueue
from runtime.jobs.worker import Worker
from tests.browser.conftest import BOTH, PHONE, Width, fits, sync_api
from tests.browser.test_pools import Stage, sign_in, stage

__all__ = ["stage"]

pytestmark = pytest.mark.browser
expect = sync_api.expect


def told(stage: Stage, *subjects: str) -> None:
    """Tasks that are late, and the reminder of them carried out."""
    with stage.site.session(write=True) as session:
        person = stage.user("zhangsan")
        due = stage.clock.now() - timedelta(days=2)
        for subject in subjects:
            records.create(session, "task", {"subject": subject, "assignee": person, "due_at": due})
        enqueue(session, "remind", {"names": ["task_overdue"]})
    Worker(stage.site).run_all()


@BOTH
@pytest.mark.experience(11)
def test_reminders_arrive_once_on_a_live_bell_and_are_put_off(
    stage: Stage, chromium: sync_api.Browser, viewport: Width
) -> None:
    page = sign_in(chromium, stage, "zhangsan", viewport)
    page.clock.install()
    page.goto(f"{stage.address}/e/task")
    expect(page.locator(".bell-count")).to_have_count(0)
    told(stage, "送合同", "补发票", "催付款")
    page.clock.fast_forward(21_000)
    expect(page.locator(".bell-count")).to_have_text("1")  # three tasks, one rule: told once, without a reload
    told(stage)
    page.click(".top-bell")
    page.wait_for_url(f"{stage.address}/notifications")
    notice = page.locator(".notice")
    expect(notice).to_have_count(1)
    expect(notice.locator(".notice-group > summary .badge")).to_have_text("3")
    expect(notice.locator(".notice-lines a")).to_have_count(3)
    assert fits(page)
    notice.locator(".notice-snooze select").select_option("hour")
    notice.locator(".notice-snooze button").click()
    expect(page.locator("#toasts .toast-note")).to_be_visible()
    expect(notice).to_have_count(0)
    expect(page.locator(".bell-count")).to_have_count(0)
    stage.clock.advance(hours=1, minutes=1)
    page.clock.fast_forward(21_000)
    expect(page.locator(".bell-count")).to_have_text("1")  # back when its time has come
    page.reload()
    notice.locator(".notice-lines a", has_text="补发票").click()
    expect(page.locator("h1")).to_have_text("补发票")
    page.go_back()
    page.locator("form[action='/notifications/read'] .btn-primary").click()
    expect(page.locator(".notice.is-new")).to_have_count(0)
    expect(page.locator(".bell-count")).to_have_count(0)
    if viewport is PHONE:
        small = page.evaluate("[...document.querySelectorAll('.notice .btn')].filter(e => e.offsetHeight < 44).length")
        assert small == 0
