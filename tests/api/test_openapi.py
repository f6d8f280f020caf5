from __future__ import annotations

import warnings
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.api.conftest import Api


@pytest.fixture(scope="module")
def document(api: Api) -> Any:
    api.create("boss", "account", name="for the description")
    return api.call("boss", "GET", "/openapi.json").json


def test_the_description_is_valid(document: Any) -> None:
    validate(document)


def test_every_reference_leads_somewhere(document: Any) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return found.union(*(references(v) for v in value.values()))
        return set().union(*(references(v) for v in value)) if isinstance(value, list) else set()

    assert references(document) <= known


def test_operations_are_those_one_may_do(api: Api, document: Any) -> None:
    assert set(document["paths"]["/account/{id}"]) == {"get", "patch", "delete"}
    mate = api.call("alice", "GET", "/openapi.json").json["paths"]
    assert "/memo" in mate
    assert set(mate["/user"]) == {"get"}


def test_required_and_protected_fields(document: Any) -> None:
    create = document["components"]["schemas"]["account.create"]
    assert create["required"] == ["name"]
    assert not {"code", "deal_count", "id", "created_at"} & set(create["properties"])
    assert document["components"]["schemas"]["account"]["properties"]["code"]["readOnly"] is True


def test_it_is_built_once_per_rights_and_language(api: Api) -> None:
    first = api.call("boss", "GET", "/openapi.json")
    assert api.call("boss", "GET", "/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    chinese = api.call("boss", "GET", "/openapi.json", headers={"Accept-Language": "zh"})
    assert chinese.headers["ETag"] != first.headers["ETag"]


def test_answers_fit_the_description(api: Api, document: Any) -> None:
    from jsonschema import Draft202012Validator

    schema = {"$ref": "#/components/schemas/account", "components": document["components"]}
    checked = Draft202012Validator(schema)
    for record in api.call("boss", "GET", "/account?limit=50").json["records"]:
        checked.validate(record)


@pytest.mark.slow
def test_generated_requests_meet_no_internal_error(api: Api) -> None:
    """Schemathesis invents requests from the description; none of them may be a 500, and answers keep their form."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from schemathesis.checks import not_a_server_error

    document = api.call("boss", "GET", "/openapi.json").json
    wanted = ("/account", "/deal", "/reports", "/me")
    document["paths"] = {
        p: calls for p, calls in document["paths"].items() if p.startswith(wanted) and "/batch" not in p
    }
    schema = schemathesis.openapi.from_dict(document)
    headers = {"Authorization": f"Bearer {api.tokens['boss']}"}
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(20261122)
        @settings(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def try_it(case: Any) -> None:
            nonlocal tried
            tried += 1
            response = case.call(app=api.app, headers=headers)
            case.validate_response(response, checks=[not_a_server_error])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try_it()
    assert tried > 50
