"""A small HTTP client over kept connections, and the statistics of what it measures."""

from __future__ import annotations

import http.client
import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; `body` may be a function of a counter, so that every write is another one."""

    path: str | Callable[[int], str]
    method: str = "GET"
    headers: Mapping[str, str]
    body: Callable[[int], bytes] | None = None
    expect: tuple[int, ...] = (200,)


def form_body(values: Callable[[int], Mapping[str, str]]) -> Callable[[int], bytes]:
    return lambda n: urlencode(values(n)).encode()


class Caller:
    """One client: sends a request and returns the seconds it took until the last byte of the answer."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __call__(self, request: Request, number: int) -> float:
        path = request.path(number) if callable(request.path) else request.path
        body = request.body(number) if request.body else None
        began = time.perf_counter()
        self.connection.request(request.method, path, body, dict(request.headers))
        response = self.connection.getresponse()
        content = response.read()
        took = time.perf_counter() - began
        if response.status not in request.expect:
            raise RuntimeError(f"{request.method} {path} answered {response.status}: {content[:300]!r}")
        return took

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


class Browser:
    """Keeps cookies and the form token, as a browser does; for signing in once."""

    def __init__(self, port: int) -> None:
        self.jar = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar))
        self.base = f"http://127.0.0.1:{port}"
        self.csrf = ""

    @property
    def cookie(self) -> str:
        return "; ".join(f"{c.name}={c.value}" for c in self.jar)

    def get(self, path: str) -> None:
        with self.opener.open(f"{self.base}{path}") as answer:
            self._keep(answer.read().decode())

    def post(self, path: str, values: Mapping[str, str]) -> None:
        body = urlencode(dict(values) | {"csrf_token": self.csrf}).encode()
        with self.opener.open(f"{self.base}{path}", body) as answer:
            self._keep(answer.read().decode())

    def _keep(self, page: str) -> None:
        found = re.search(r'name="csrf[-_]token" (?:value|content)="([^"]+)"', page)
        self.csrf = found[1] if found else self.csrf


def latencies(port: int, request: Request, times: int, offset: int) -> list[float]:
    """Seconds of each of `times` requests, one after the other."""
    with Caller(port) as call:
        return [call(request, offset + n) for n in range(times)]


def throughput(port: int, request: Request, times: int, clients: int, offset: int) -> float:
    """Requests a second with `clients` at once."""
    failures: list[Exception] = []
    each = max(1, times // clients)

    def run(start: int) -> None:
        try:
            with Caller(port) as call:
                for n in range(each):
                    call(request, offset + start + n)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(k * times,)) for k in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return each * clients / (time.perf_counter() - began)


def p50(seconds: list[float]) -> float:
    return statistics.median(seconds)


def p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]
