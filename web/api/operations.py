"""For those who run the site: is it alive, is it ready, and its figures for Prometheus."""

from __future__ import annotations

import ipaddress
import os
import secrets
import time

from flask import Blueprint, Response, g, request
from flask.blueprints import BlueprintSetupState
from flask.globals import request_ctx
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from runtime.commands.health import figures, ready
from runtime.site import Site
from web.api.problem import dump

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})  # others are counted together
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Figures:
    """The counters of one process; with PROMETHEUS_MULTIPROC_DIR set, of all processes together."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "octavo_request_seconds",
            "Time to answer a request",
            ["method", "endpoint", "status"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.refused = Counter(
            "octavo_refused_total", "Requests answered with a status of 400 or more", ["status"], registry=self.registry
        )

        self._timers: dict[tuple[str, str, int], Histogram] = {}  # finding one by its labels costs more than counting

    def count(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        key = (method if method in METHODS else "other", endpoint, status)
        timer = self._timers.get(key)
        if timer is None:
            timer = self._timers[key] = self.seconds.labels(key[0], endpoint, str(status))
        timer.observe(seconds)
        if status >= 400:
            self.refused.labels(str(status)).inc()

    def text(self) -> bytes:
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry) + generate_latest(_OfSite(self.site))


class _OfSite(CollectorRegistry):
    """Figures that are the site's and not the process's, read when asked for."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site

    def collect(self):  # type: ignore[no-untyped-def]
        for name, (text, values) in figures(self._site).items():
            family = GaugeMetricFamily(name, text, labels=["state"] if any(values) else [])
            for label, value in values.items():
                family.add_metric([label] if label else [], value)
            yield family


def create_operations(site: Site) -> Blueprint:
    """`/healthz` (the process answers), `/readyz` (the database serves), `/metrics`; counts every request."""
    blueprint = Blueprint("operations", __name__)
    counted = Figures(site)

    def healthz() -> Response:
        return _json({"status": "ok"})

    def readyz() -> Response:
        state = ready(site)
        return _json(state, 200 if state["ready"] else 503)

    def metrics() -> Response:
        if not _may_measure(site):
            return _json({"status": "not found"}, 404)
        return Response(counted.text(), content_type=CONTENT_TYPE_LATEST)

    blueprint.add_url_rule("/healthz", "healthz", healthz)
    blueprint.add_url_rule("/readyz", "readyz", readyz)
    blueprint.add_url_rule("/metrics", "metrics", metrics)
    blueprint.record_once(lambda state: _count_requests(state, counted))
    return blueprint


def _may_measure(site: Site) -> bool:
    """Figures tell how busy a site is: they are for this machine itself, and for whoever has the token."""
    token = site.settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(given.encode(), token.encode()):
        return True
    relayed = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"))
    return not relayed and _is_loopback(request.remote_addr)


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _count_requests(state: BlueprintSetupState, counted: Figures) -> None:
    app = state.app

    @app.before_request
    def begin() -> None:
        g.request_began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        began = g.pop("request_began", None)
        if began is not None:
            asked = request_ctx.request
            seconds = time.perf_counter() - began
            counted.count(asked.method, asked.endpoint or "none", response.status_code, seconds)
        return response


def _json(value: object, status: int = 200) -> Response:
    return Response(dump(value), status, mimetype="application/json", headers={"Cache-Control": "no-store"})
