"""Killed without warning in the middle of publishing: the old version or the new one, whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.publishing.publish import plan, publish
from runtime.schema.verify import drift
from runtime.site import Site
from tests.publishing.conftest import BASE, add, column, layer

NEXT = BASE.replace("employees: integer", "staff: {type: decimal, scale: 2, was: [employees]}").replace(
    "phone: {type: text, max: 20}", "phone: {type: text, max: 20, index: true}\n  referrer: {type: link, to: customer}"
)
SCRIPT = """
import os, signal, sys
from pathlib import Path
from runtime.clock import FakeClock
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings
from runtime.site import Site
from tests.publishing.conftest import layer
from tests.publishing.test_killed import NEXT

site = Site(throwaway_settings(Path(sys.argv[1]), database_url=sys.argv[2]), FakeClock())
count = 0

def progress(step):
    global count
    count += 1
    if count == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

publish(site, [layer(NEXT)], accept=True, progress=progress)
"""


@pytest.mark.promise("P10")
@pytest.mark.parametrize("step", [1, 3, 6])
def test_killed_while_publishing(empty_site: Site, step: int) -> None:
    site = empty_site
    publish(site, [layer(BASE)])
    for number in range(20):
        record = add(site, "customer", name=f"客户{number}", employees=number)
        add(site, "address", customer=record, street="路")
    steps = len(plan(site, [layer(NEXT)]).plan.steps)  # type: ignore[union-attr]
    assert steps >= 6
    root = Path(__file__).resolve().parents[2]
    arguments = [str(site.folder), site.settings.url, str(step)]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], cwd=root, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    assert site.refresh().number == 1
    with site.session() as session:
        assert drift(session.connection, site.tables) == []
    assert column(site, "customer", "employees") == {n + 1: n for n in range(20)}
    assert len(column(site, "address", "customer")) == 20
    publish(site, [layer(NEXT)], accept=True)
    assert column(site, "customer", "staff") == {n + 1: n for n in range(20)}
    assert set(column(site, "address", "customer").values()) == set(range(1, 21))
    with site.session() as session:
        assert drift(session.connection, site.tables) == []
