"""Milliseconds until somebody sees what they asked for: from the key or click to the frame that shows the change.

`python -m tests.bench.visible [RECORDS]` starts a server over seeded records and drives Chromium; the figures are what
docs/performance.md tells. Never asserted in a test: a machine that is busy is slow.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from typing import Any

from tests.bench.run import Arena, Options, arena
from tests.bench.servers import octavo_server
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP, PHONE, sync_api

TIMES = 15
REACH = 100
LIST = "/e/bench_customer"
# Runs a deed, and answers how long it takes until a mutation that fits has been painted.
WATCH = """([deed, fits]) => new Promise((done) => {
  const seen = new Function("return " + fits);
  const begun = performance.now();
  const watch = new MutationObserver(() => {
    if (!seen()) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
  });
  watch.observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
  new Function(deed)();
})"""


def visible(page: sync_api.Page, deed: str, fits: str) -> float:
    return float(page.evaluate(WATCH, [deed, fits]))


def filtering(page: sync_api.Page, n: int) -> float:
    kind = ("person", "agency", "partner", "company")[n % 4]
    deed = (
        "const f = document.querySelector('#filters'); for (const i of f.querySelectorAll('[name=\"f.kind\"]')) "
        f"i.checked = i.value === '{kind}'; f.requestSubmit()"
    )
    return visible(page, deed, f"location.search.includes('{kind}') && document.querySelector('#list tbody tr')")


def opening(page: sync_api.Page, n: int) -> float:
    cell = f"document.querySelectorAll('#list tbody tr')[{n}].querySelector('[data-label=\"城市\"]')"
    deed = f"{cell}.dispatchEvent(new MouseEvent('dblclick', {{ bubbles: true, cancelable: true }}))"
    return visible(page, deed, f"{cell}.querySelector('input:not([type=hidden])')")


def saving(page: sync_api.Page, n: int) -> float:
    opening(page, n)
    form = "document.querySelector('#list [data-cell]')"
    deed = f"{form}.querySelector('input:not([type=hidden])').value = '新城{n}'; {form}.requestSubmit()"
    return visible(page, deed, f"!{form} && document.querySelector('#list').innerText.includes('新城{n}')")


def looking_up(page: sync_api.Page, n: int) -> float:
    box = "document.querySelector('[data-field=owner_ref] input[role=combobox]')"
    text = f"{n * 7 % 100:02d}"
    page.evaluate(f"{box}.focus(); {box}.value = ''; document.querySelector('.lookup-list')?.replaceChildren()")
    deed = f"{box}.value = '{text}'; {box}.dispatchEvent(new InputEvent('input', {{ bubbles: true }}))"
    return visible(page, deed, "document.querySelector('[data-field=owner_ref] [role=option]')")


DEEDS: tuple[tuple[str, str, Callable[[sync_api.Page, int], float]], ...] = (
    ("filter a list", f"{LIST}?cols=name,kind,city", filtering),
    ("edit a cell: open", f"{LIST}?cols=name,kind,city", opening),
    ("edit a cell: save", f"{LIST}?cols=name,kind,city", saving),
    ("look-up", f"{LIST}/new", looking_up),
)


def weight(page: sync_api.Page, go: Callable[[], object]) -> dict[str, int]:
    """Bytes over the wire and requests until the network is quiet."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    sizes: list[int] = []
    client.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    go()
    page.wait_for_load_state("networkidle")
    client.detach()
    return {"bytes": sum(sizes), "requests": len(sizes)}


def signed_in(browser: sync_api.Browser, address: str, a: Arena, viewport: dict[str, int]) -> sync_api.Page:
    page = browser.new_context(viewport=viewport, has_touch=viewport is PHONE).new_page()
    page.context.add_cookies([{"name": "octavo-language", "value": "zh", "url": address}])
    page.goto(f"{address}/sign-in")
    page.fill("#login", a.login)
    page.fill("#password", a.password)
    page.press("#password", "Enter")
    page.wait_for_url(f"{address}/")
    return page


def figures(a: Arena, port: int) -> dict[str, Any]:
    """Median and worst of each deed, and what a page weighs on a phone."""
    address, found = f"http://127.0.0.1:{port}", {}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = signed_in(browser, address, a, DESKTOP)
        for name, path, deed in DEEDS:
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            taken = [deed(page, n) for n in range(TIMES)][
                2:
            ]  # what a worker loads with its first answers is no interaction
            found[f"visible: {name}, ms"] = {
                "octavo": round(statistics.median(taken)),
                "worst": round(max(taken)),
                "reach": REACH,
            }
        phone = browser.new_context(viewport=PHONE, has_touch=True).new_page()
        found["first page on a phone"] = weight(phone, lambda: phone.goto(f"{address}/sign-in"))
        phone.context.close()
        phone = signed_in(browser, address, a, PHONE)
        found["a list on a phone, then"] = weight(phone, lambda: phone.goto(address + LIST))
        found["a record on a phone, then"] = weight(phone, lambda: phone.goto(f"{address}{LIST}/1"))
        browser.close()
    return found


def main(records: int) -> None:
    with (
        arena(Options(records=records)) as a,
        octavo_server(a.folder / "site", 2, a.folder) as (port, _process),
    ):
        print(json.dumps(figures(a, port), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
