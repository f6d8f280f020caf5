from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from runtime.security.tokens import create_token
from runtime.site import Site
from tests.databases import postgres_answers, postgres_database
from tests.records.world import APPLICATION, add_user, content, open_site
from web.api import PREFIX, create_api, create_operations

MORE = """
---
report: by_stage
from: account
params: {period: {type: date_range, default: all}, who: {type: user, optional: true}}
where: "(born is None or born in params.period) and owner == params.who"
group: [stage, {month: born}]
measures: {accounts: "count()", staff: "sum(employees)", mean: "avg(employees)", each: "staff / accounts", spent: "sum(cost)"}
---
report: hidden_group
from: account
group: [cost]
measures: {accounts: "count()"}
---
report: hidden_where
from: account
where: "cost > 5"
group: [stage]
measures: {accounts: "count()"}
---
report: big_ones
from: account
where: "employees >= 10"
columns: [name, employees, cost, owner]
sort: [-employees]
---
list: account
columns: [name, stage, owner]
views:
  - {name: won, label: Won, where: "stage == 'won'", sort: [-name]}
"""
WORLD = APPLICATION.replace("export: own}", "export: own, import: own, report: own}") + MORE


class Api:
    """A site, its users by name, and calls on their behalf."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.app = Flask("api_under_test")
        self.app.config["SECRET_KEY"] = "k" * 40
        self.app.register_blueprint(create_api(site), url_prefix=PREFIX)
        self.app.register_blueprint(create_operations(site))
        self.ids = {"alice": add_user(site, "alice", "rep"), "bob": add_user(site, "bob", "rep")}
        self.ids |= {"boss": add_user(site, "boss", "boss"), "admin": add_user(site, "admin", "manager")}
        self.ids["nobody"] = add_user(site, "nobody", "nobody")
        with site.session(write=True) as session:
            self.tokens = {name: create_token(session, number, "test") for name, number in self.ids.items()}
        for name in self.tokens:  # when a token was last used is noted at its first use
            assert self.call(name, "GET", "/me").status_code == 200

    def call(self, user: str | None, method: str, path: str, body: Any = None, **more: Any) -> Any:
        headers = dict(more.pop("headers", {}))
        if user is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens[user]}")
        headers.setdefault("Accept-Language", "en")
        if body is not None:
            more["json"] = body
        address = path if path.startswith(("/api", "/healthz", "/readyz", "/metrics")) else PREFIX + path
        return self.app.test_client().open(address, method=method, headers=headers, **more)

    def create(self, user: str, entity: str, **values: Any) -> str:
        response = self.call(user, "POST", f"/{entity}", values)
        assert response.status_code == 201, response.json
        return str(response.json["id"])

    def content(self) -> str:
        """A hash over every row of the site's tables, but for when a token was last used."""
        with self.site.session() as session:
            return content(session)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The test application behind the API, once for all tests of a module, on SQLite and on PostgreSQL."""
    folder: Path = tmp_path_factory.mktemp("api")
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'o.db'}"
        if request.param == "postgresql":
            if not postgres_answers():
                pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
            url = stack.enter_context(postgres_database())
        site = open_site(url, folder, WORLD)
        yield Api(site)
        site.close()
