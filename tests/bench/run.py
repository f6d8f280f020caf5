"""The benchmark: Octavo against the floor, in the same run, interleaved; only ratios are compared between machines."""

from __future__ import annotations

import json
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runtime.schema.tables import Tables
from runtime.site import Site
from tests.bench import data
from tests.bench.client import Browser, Request, form_body, latencies, p50, p99, throughput
from tests.bench.floor import app as floor
from tests.bench.servers import cpu_seconds, floor_server, octavo_server, resident_mib
from tests.databases import postgres_database
from web.serving import JOBS

ROUNDS = 5
PACKAGE = Path(__file__).parent / "package"
# What the design asks for: figure -> greatest ratio to the floor.
REACH = {
    "list page": 1.3,
    "edit form": 1.5,
    "create by form": 1.6,
    "REST list": 1.3,
    "REST get": 1.3,
    "REST create": 1.6,
    "grouped report": 1.1,
    "filter a list": 1.5,
    "edit a cell: open": 1.5,
    "edit a cell: save": 1.5,
    "look-up": 1.5,
}


@dataclass(slots=True, kw_only=True)
class Options:
    records: int = 100_000
    grow: int = 0  # records of the second, larger list; 0 = no growth figure
    database: str = "sqlite"
    requests: int = 40  # a round
    workers: int = 2
    only: tuple[str, ...] = ()
    say: Callable[[str], None] = field(default=lambda _line: None)


@dataclass(slots=True, kw_only=True)
class Arena:
    """Both sides, ready: the same rows in both databases."""

    folder: Path
    site: Site
    floor_url: str
    floor_secret: str
    floor_token: str
    login: str
    password: str
    figures: dict[str, dict[str, Any]]
    token: str = ""
    cookie: str = ""
    csrf: str = ""


@contextmanager
def arena(options: Options) -> Iterator[Arena]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="octavo-bench-")))
        if options.database == "postgresql":
            url, floor_url = (stack.enter_context(postgres_database(durable=True)) for _ in range(2))
        else:
            url, floor_url = "", f"sqlite:///{folder / 'floor.db'}"
        if url:
            os.environ["OCTAVO_DATABASE_URL"] = url
            stack.callback(os.environ.pop, "OCTAVO_DATABASE_URL")
        from runtime.bootstrap import init_site

        password = secrets.token_urlsafe(16)
        result = init_site(folder / "site", packages=[PACKAGE], admin_password=password)
        site = stack.enter_context(Site.open(folder / "site"))
        figures: dict[str, dict[str, Any]] = {}
        options.say(f"writing {options.records:,} records")
        figures["create_many"] = seed(site, options.records)
        floor_token = floor.prepare(floor_url)
        copy_to_floor(site, floor_url)
        yield Arena(
            folder=folder,
            site=site,
            floor_url=floor_url,
            floor_secret=secrets.token_hex(16),
            floor_token=floor_token,
            login=result.login,
            password=password,
            figures=figures,
        )


def sign_in(a: Arena, port: int) -> None:
    """An API token, and a browser's session with its form token, of the administrator."""
    from runtime.security.tokens import create_token

    with a.site.session(write=True) as session:
        user = session.table("user")
        known = session.connection.execute(sa.select(user.c.id).where(user.c.login == a.login)).scalar_one()
        a.token = create_token(session, known, "bench")
    browser = Browser(port)
    browser.get("/sign-in")
    browser.post("/sign-in", {"login": a.login, "password": a.password})
    browser.get("/e/bench_customer/new")
    a.cookie, a.csrf = browser.cookie, browser.csrf


def seed(site: Site, count: int) -> dict[str, Any]:
    """Writes through the door, set by set, as an import does; rows a second."""
    from runtime.records import create_many

    with site.session(write=True) as session:
        create_many(session, "bench_owner", [{"name": name} for name in data.owner_names()])
    began, written, batch = time.perf_counter(), 0, []
    for row in data.rows(count):
        batch.append(row)
        if len(batch) == 2000 or written + len(batch) == count:
            with site.session(write=True) as session:
                create_many(session, "bench_customer", batch)
            written, batch = written + len(batch), []
    return {"rows_a_second": round(written / (time.perf_counter() - began))}


def copy_to_floor(site: Site, floor_url: str) -> None:
    engine = floor.engine_for(floor_url)
    with site.session() as session, engine.execution_options(mode="IMMEDIATE").begin() as target:
        owners = session.connection.execute(sa.select(session.table("bench_owner").c["id", "name"])).mappings()
        target.execute(floor.owner.insert(), [dict(r) for r in owners])
        table = session.table("bench_customer")
        names = [c.name for c in floor.STORED]
        cursor = session.connection.execution_options(yield_per=5000).execute(sa.select(table.c[tuple(names)]))
        now = int(time.time() * 1000)
        for part in cursor.mappings().partitions():
            target.execute(floor.customer.insert(), [floor_row(dict(r), now) for r in part])
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # rows came with their ids: the next ones go on behind them
            for table in ("floor_owner", "floor_customer"):
                behind = f"setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                connection.exec_driver_sql(f"SELECT {behind}")
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    with site.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    engine.dispose()


def floor_row(row: dict[str, Any], now: int) -> dict[str, Any]:
    for name in ("revenue", "discount"):
        row[name] = None if row[name] is None else int(row[name] * 10000)
    return row | {"created_at": now, "created_by": 1, "updated_at": now, "version": 1}


def values_of(n: int) -> dict[str, str]:
    return {
        "name": f"新建客户{n}",
        "code": f"N{n}",
        "kind": "company",
        "owner_ref": str(n % data.OWNERS + 1),
        "revenue": "12345.67",
        "employees": "120",
        "discount": "12.5",
        "founded": "2015-03-16",
        "active": "true",
        "phone": "13912345678",
        "city": "上海",
        "notes": "按季度结算",
    }


def json_of(n: int) -> bytes:
    values: dict[str, Any] = values_of(n)
    return json.dumps(values | {"employees": 120, "active": True, "owner_ref": int(values["owner_ref"])}).encode()


def pairs(a: Arena, last: int) -> dict[str, tuple[Request, Request]]:
    """Figure -> (the floor's request, Octavo's request)."""
    f_page = {"Cookie": f"session={a.floor_token}", "Accept-Encoding": "identity"}
    o_page = {"Cookie": a.cookie, "Accept-Encoding": "identity"}
    f_api = {"Authorization": f"Bearer {a.floor_token}", "Content-Type": "application/json"}
    o_api = {"Authorization": f"Bearer {a.token}", "Content-Type": "application/json"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    f_csrf = _floor_csrf(a)

    def some(path: str) -> Callable[[int], str]:
        return lambda n: path.format(n * 37 % last + 1)

    where = "kind%20==%20'company'"
    columns = "name,code,kind,owner_ref,revenue,employees,founded,active,city"
    return {
        "list page": (
            Request(path="/customers?kind=company", headers=f_page),
            Request(path="/e/bench_customer?f.kind=company", headers=o_page),
        ),
        "edit form": (
            Request(path=some("/customers/{}/edit"), headers=f_page),
            Request(path=some("/e/bench_customer/{}/edit"), headers=o_page),
        ),
        "create by form": (
            Request(
                path="/customers",
                method="POST",
                headers=f_page | form,
                body=form_body(lambda n: values_of(n) | {"csrf_token": f_csrf}),
                expect=(303,),
            ),
            Request(
                path="/e/bench_customer/new",
                method="POST",
                headers=o_page | form,
                body=form_body(lambda n: values_of(n) | {"csrf_token": a.csrf}),
                expect=(302, 303),
            ),
        ),
        "REST list": (
            Request(path="/api/customers?kind=company", headers=f_api),
            Request(
                path=f"/api/v1/bench_customer?where={where}&select={columns}&sort=-revenue&limit=50&count=none",
                headers=o_api,
            ),
        ),
        "REST get": (
            Request(path=some("/api/customers/{}"), headers=f_api),
            Request(path=some("/api/v1/bench_customer/{}"), headers=o_api),
        ),
        "REST create": (
            Request(path="/api/customers", method="POST", headers=f_api, body=json_of, expect=(201,)),
            Request(path="/api/v1/bench_customer", method="POST", headers=o_api, body=json_of, expect=(201,)),
        ),
        "grouped report": (
            Request(path="/api/report", headers=f_api),
            Request(path="/api/v1/reports/bench_by_kind", headers=o_api),
        ),
        **interaction(f_page, o_page, form, f_csrf, a.csrf, some),
    }


def interaction(
    f_page: dict[str, str],
    o_page: dict[str, str],
    form: dict[str, str],
    f_csrf: str,
    o_csrf: str,
    some: Callable[[str], Callable[[int], str]],
) -> dict[str, tuple[Request, Request]]:
    """What a page asks for while somebody works on it: fragments; every filter is another one, as people's are."""
    f_part = f_page | {"HX-Request": "true"}
    o_part = o_page | {"HX-Request": "true"}

    def cell(csrf: str) -> Callable[[int], bytes]:
        return form_body(lambda n: {"city": f"城市{n}", "csrf_token": csrf, "version": ""})

    def filtered(n: int) -> str:
        return f"kind={data.KINDS[n % len(data.KINDS)]}&{{}}from={n % 9000}"

    def found(n: int) -> str:
        return f"q={n % 100:02d}"

    return {
        "filter a list": (
            Request(path=lambda n: f"/customers/part?{filtered(n).format('')}", headers=f_part),
            Request(
                path=lambda n: f"/e/bench_customer?f.{filtered(n).format('f.revenue.')}",
                headers=o_part | {"HX-Target": "div#list"},
            ),
        ),
        "edit a cell: open": (
            Request(path=some("/customers/{}/cell/city"), headers=f_part),
            Request(path=some("/e/bench_customer/{}/cell/city"), headers=o_part),
        ),
        "edit a cell: save": (
            Request(path=some("/customers/{}/cell/city"), method="POST", headers=f_part | form, body=cell(f_csrf)),
            Request(
                path=some("/e/bench_customer/{}/cell/city"), method="POST", headers=o_part | form, body=cell(o_csrf)
            ),
        ),
        "look-up": (
            Request(path=lambda n: f"/owners/lookup?{found(n)}", headers=f_part),
            Request(path=lambda n: f"/e/bench_customer/lookup/owner_ref?{found(n)}", headers=o_part),
        ),
    }


def _floor_csrf(a: Arena) -> str:
    import hashlib
    import hmac

    return hmac.new(a.floor_secret.encode(), a.floor_token.encode(), hashlib.sha256).hexdigest()


def compare(a: Arena, options: Options) -> dict[str, dict[str, Any]]:
    """Five interleaved rounds a figure: p50 and p99 of one client, requests a second of four."""
    results: dict[str, dict[str, Any]] = {}
    with floor_server(a.floor_url, a.floor_secret, 1, a.folder), octavo_server(a.folder / "site", 1, a.folder):
        time.sleep(3)  # what a worker loads beside its first answers counts too
        # both have their bytecode then, and what comes after is what a site is like that has been started before
    with (
        floor_server(a.floor_url, a.floor_secret, options.workers, a.folder) as (floor_port, floor_process),
        octavo_server(a.folder / "site", options.workers, a.folder) as (port, process),
    ):
        counter = 1_000_000
        sign_in(a, port)
        for name, (ours_floor, ours) in pairs(a, options.records).items():
            if options.only and name not in options.only:
                continue
            options.say(name)
            times: dict[str, list[float]] = {"floor": [], "octavo": []}
            rates: dict[str, list[float]] = {"floor": [], "octavo": []}
            computed: dict[str, list[float]] = {"floor": [], "octavo": []}
            servers = {"floor": floor_process.pid, "octavo": process.pid}
            for where, at in ((floor_port, ours_floor), (port, ours)):
                latencies(where, at, options.requests // 2, counter)
                counter += options.requests
            for _ in range(ROUNDS):
                for side, where, at in (("floor", floor_port, ours_floor), ("octavo", port, ours)):
                    before = cpu_seconds(servers[side])
                    times[side] += latencies(where, at, options.requests, counter)
                    after = cpu_seconds(servers[side])
                    if before is not None and after is not None:
                        computed[side].append((after - before) / options.requests)
                    counter += options.requests
                    rates[side].append(throughput(where, at, options.requests, 4, counter))
                    counter += options.requests * 5
            results[name] = ratio(name, times, rates, computed)
        held = resident_mib(process.pid)
        apart = held.pop(JOBS, [])
        results["memory, MiB a worker"] = {
            "floor": round(max(max(m) for m in resident_mib(floor_process.pid).values()), 1),
            "octavo": round(max(max(m) for m in held.values()), 1),
            "reach": 90,
        }
        if apart:
            results["memory, MiB of the jobs' process"] = {"octavo": round(max(apart), 1)}
    return results


def ratio(
    name: str, times: dict[str, list[float]], rates: dict[str, list[float]], computed: dict[str, list[float]]
) -> dict[str, Any]:
    ours, theirs = p50(times["octavo"]), p50(times["floor"])
    figure = {
        "floor_p50_ms": round(theirs * 1000, 2),
        "octavo_p50_ms": round(ours * 1000, 2),
        "floor_p99_ms": round(p99(times["floor"]) * 1000, 2),
        "octavo_p99_ms": round(p99(times["octavo"]) * 1000, 2),
        "ratio": round(ours / theirs, 2),
        "throughput_ratio": round(statistics.median(rates["floor"]) / statistics.median(rates["octavo"]), 2),
    }
    if computed["floor"] and computed["octavo"]:
        # What a request costs the server, in processor time: on a machine that has other work, the steadiest figure.
        spent = {side: statistics.median(seconds) for side, seconds in computed.items()}
        figure["cpu_ratio"] = round(spent["octavo"] / spent["floor"], 2)
    return figure | ({"reach": REACH[name]} if name in REACH else {})


def machine(options: Options) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "database": options.database,
        "records": options.records,
        "workers": options.workers,
    }


STARTS = 3


def start_figures(a: Arena) -> dict[str, Any]:
    """Seconds from the start of a process to its first page, and to load and check all stock metadata.

    Warm: bytecode, and what the metadata compile to, are there from starts before. The page is a list, signed in.
    """
    floor_page = ("/customers", f"session={a.floor_token}")
    page = ("/e/bench_customer", a.cookie)
    times: dict[str, list[float]] = {"floor": [], "octavo": []}
    for _ in range(STARTS):
        begun = time.perf_counter()
        with floor_server(a.floor_url, a.floor_secret, 1, a.folder, floor_page):
            times["floor"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with octavo_server(a.folder / "site", 1, a.folder, page):
            times["octavo"].append(time.perf_counter() - begun)
    code = (
        "import time; from metadata.packages import platform, stock; from metadata.compiler import compile_application;"
        "t = time.perf_counter(); c = compile_application([platform(), stock()]);"
        "print(time.perf_counter() - t, len(c.application.entities))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    Tables(a.site.application(), a.site.dialect)
    return {
        "start_to_first_page_s": {k: round(statistics.median(v), 2) for k, v in times.items()} | {"reach": 1.5},
        "load_and_check_all_metadata_s": {
            "octavo": round(float(printed[0]), 3),
            "entities": int(printed[1]),
            "reach": 1.0,
        },
    }


def run(options: Options) -> dict[str, Any]:
    """Everything; the result is JSON-ready."""
    from tests.bench.sets import set_figures

    with arena(options) as a:
        figures = compare(a, options)
        if not options.only:
            figures |= start_figures(a)
            figures |= set_figures(a, options)
        return {"machine": machine(options), "figures": a.figures | figures}
