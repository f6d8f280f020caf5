"""Payments set against invoices, as a ledger of what is open: only one's own, only what is open, only what is issued."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from runtime import records
from runtime.ledgers import checking
from runtime.security.tokens import create_token
from runtime.site import Site
from tests.records.world import add_user, open_site
from web.api import create_api

APPLICATION = """
entity: party
title: name
fields: {name: {type: text, required: true}}
---
options: bill_state
choices: {draft: Draft, issued: Issued, void: Void}
---
entity: bill
title: name
fields:
  name: {type: text, required: true}
  party: {type: link, to: party, required: true}
  state: {type: select, options: bill_state, default: draft}
---
entity: payment
title: name
fields:
  name: {type: text, required: true}
  party: {type: link, to: party, required: true}
  amount: {type: money, required: true, min: 0.01}
  allocations: {type: related, entity: claim, by: payment}
  unspent: {type: money, formula: "amount + allocations.sum(amount)"}
---
entity: claim
label: {zh: 应收, en: Claim}
ledger: {of: [bill], balance: amount, never_below: 0, into: open_amount, once: [source]}
fields:
  bill: {type: link, to: bill, required: true}
  payment: {type: link, to: payment}
  amount: {type: money, required: true, min: -1000000, max: 1000000}
  source: {type: text, required: true}
checks:
  - {name: party, must: "payment is None or payment.party == bill.party", message: {zh: 付款与账单不是同一客户, en: The payment is somebody else's}}
  - {name: issued, must: "bill.state == 'issued'", message: {zh: 账单未开出或已作废, en: The bill is not issued}}
  - {name: paid, must: "payment is None or amount < 0", message: {zh: 核销金额应为负, en: A payment lowers what is open}}
  - {name: covered, must: "payment is None or payment.unspent + amount >= 0", message: {zh: 超过付款余额, en: More than is left of the payment}}
---
entity: open_amount
fields:
  bill: {type: link, to: bill, required: true, unique: true}
  amount: {type: money, default: 0}
---
role: cashier
grants: {"*": {all: all}}
"""


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    site = open_site(database_url, tmp_path, APPLICATION)
    yield site
    site.close()


@pytest.mark.attack("N103", "N102")
def test_a_payment_is_set_against_ones_own_issued_bills_and_no_further(site: Site) -> None:
    app = Flask("allocations")
    app.register_blueprint(create_api(site), url_prefix="/api/v1")
    client, cashier = app.test_client(), add_user(site, "cara", "cashier")
    with site.session(write=True) as session:
        token = create_token(session, cashier, "test")

    def post(entity: str, **values: Any) -> Any:
        return client.post(f"/api/v1/{entity}", json=values, headers={"Authorization": f"Bearer {token}"})

    def made(entity: str, **values: Any) -> str:
        answer = post(entity, **values)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    a, b = made("party", name="A"), made("party", name="B")
    bills = {
        name: made("bill", name=name, party=party, state=state)
        for name, party, state in (("A1", a, "issued"), ("B1", b, "issued"), ("A2", a, "draft"), ("A3", a, "void"))
    }
    paid = made("payment", name="P", party=a, amount="120")
    made("claim", bill=bills["A1"], amount="100", source="A1")
    made("claim", bill=bills["B1"], amount="100", source="B1")
    other = {"payment": paid, "source": "x"}
    refused = [
        post("claim", bill=bills["B1"], amount="-10", **other),  # of somebody else
        post("claim", bill=bills["A2"], amount="-10", **other),  # a draft
        post("claim", bill=bills["A3"], amount="-10", **other),  # void
        post("claim", bill=bills["A1"], amount="-100.01", **other),  # over what is open
        post("claim", bill=bills["A1"], amount="0", **other),
        post("claim", bill=bills["A1"], amount="10", **other),  # the wrong way round
        post("claim", bill=bills["A1"], amount="NaN", **other),
        post("claim", bill=bills["A1"], amount="-1e18", **other),
    ]
    assert [answer.status_code for answer in refused] == [422] * len(refused)
    made("claim", bill=bills["A1"], amount="-100", payment=paid, source="P-A1")
    made("claim", bill=bills["A1"], amount="50", source="A1 more")
    over = post("claim", bill=bills["A1"], amount="-20.01", payment=paid, source="P-A1-2")  # over what was paid
    assert over.status_code == 422
    made("claim", bill=bills["A1"], amount="-20", payment=paid, source="P-A1-2")
    with site.session() as session:
        assert records.read(session, "payment", int(paid)).values["unspent"] == Decimal(0)
        assert checking.verify(session) == []
