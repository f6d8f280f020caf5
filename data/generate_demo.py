"""Writes the generated part of the demonstration data. Run by hand: python data/generate_demo.py

The same seed gives the same files. Dates are relative ("today-14"): loading turns them into days of the present.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
WORDS = yaml.safe_load((HERE / "demo_words.yaml").read_text("utf-8"))
CUSTOMERS, OPPORTUNITIES, LEADS = 295, 117, 40
REPS = {"east": ["zhangsan", "lisi", "zhaoliu", "sunqi"], "south": ["chenwu", "huangba"]}
UNITS = {"zhangsan": "E1", "lisi": "E1", "zhaoliu": "E2", "sunqi": "E2", "chenwu": "S1", "huangba": "S1"}
SOURCES = ["website", "exhibition", "campaign", "referral", "phone", "visit", "partner", "media", "list"]
SIZES = [("under_50", 30), ("from_50", 120), ("from_200", 320), ("from_500", 800), ("over_1000", 2600)]
STAGES = {"initial": 24, "need": 22, "proposal": 18, "negotiation": 12, "closing": 8, "won": 22, "lost": 11}
DECISION_ROLES = ["decision", "influencer", "end_user", "purchasing", "gatekeeper"]
RESULTS = ["positive", "follow_up", "follow_up", "neutral", "rejected", "unreachable"]
PURPOSES = ["introduction", "need", "demo", "proposal", "negotiation", "service", "care"]
CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
Row = dict[str, Any]

rng = random.Random(2026)  # noqa: S311 - made-up data, not secrets
pick = rng.choice
people: dict[str, list[str]] = {}  # customer -> the names of its contacts


def person() -> str:
    return pick(WORDS["surnames"]) + "".join(rng.sample(WORDS["given"], pick([1, 2, 2])))


def digits(count: int) -> str:
    return "".join(pick("0123456789") for _ in range(count))


def mobile() -> str:
    return pick(["138", "139", "136", "137", "158", "159", "186", "187", "177"]) + digits(8)


def day(first: int, last: int) -> str:
    return f"{rng.randint(first, last)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def uscc(division: str) -> str:
    """A unified social credit code with the check digit of GB 32100-2015."""
    body = "91" + division + "".join(pick(CODE_CHARACTERS) for _ in range(9))
    total = sum(CODE_CHARACTERS.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return body + CODE_CHARACTERS[(31 - total % 31) % 31]


def age_of(row: Row) -> int:
    return int(row["created_at"].split("-")[1].split(" ")[0])


def ownership(region: str) -> Row:
    owner = pick(REPS.get(region) or [*REPS["east"], *REPS["south"]])
    if rng.random() < 0.07:
        return {"owner": None, "home_unit": {"code": UNITS[owner][0]}}
    return {"owner": {"login": owner}}


# --- products ------------------------------------------------------------------------------------------------------


def products() -> list[Row]:
    return [product(spec) for spec in WORDS["products"]]


def product(spec: Row) -> Row:
    price = spec["price"]
    row: Row = {"name": spec["name"], "type": {"code": spec["type"]}, "series": {"code": spec["series"]}}
    row |= {"model": spec["model"], "measure": spec["measure"], "list_price": price, "cost": spec["cost"]}
    row |= {"min_price": round(price * 0.8, 2), "status": "on_sale", "lead_days": pick([3, 5, 10, 20])}
    if spec["brand"]:
        row["brand"] = {"name": spec["brand"]}
    if spec["type"] == "YJ":
        row |= {"weight_kg": pick([0.2, 0.5, 1.2, 3.5, 8.0]), "warranty_months": 24}
        row["packs"] = [{"name": "箱", "factor": 12 if price < 3000 else 4}]
    if spec["type"] == "RJ":
        row["licence"] = "subscription" if spec["series"] == "YA" else "perpetual"
    if spec["type"] == "FZ":
        row |= {"size": "l", "colour_name": "蓝", "min_quantity": 10, "quantity_multiple": 5}
    if spec["model"] in ("T-100", "T-200", "T-300"):
        row["offers"] = [{"unit": {"code": "E"}, "enabled": True}]
    if spec["model"] == "G-X":
        row["status"] = "draft"
    return row


# --- customers and contacts ----------------------------------------------------------------------------------------


def customers() -> list[Row]:
    rows: list[Row] = []
    seen: set[str] = set()
    while len(rows) < CUSTOMERS:
        region = rng.choices(list(WORDS["cities"]), [40, 26, 10, 8, 8, 4, 4])[0]
        if rng.random() < 0.06:
            rows.append(private_person(region))
            continue
        city, trade, word = pick(WORDS["cities"][region]), pick(WORDS["trades"]), pick(WORDS["brands"])
        suffix = pick(["有限公司", "有限公司", "股份有限公司", "集团有限公司"])
        name = f"{city['name']}{word}{trade['name']}{suffix}"
        if name not in seen:
            seen.add(name)
            rows.append(company(name, word + trade["name"], region, city, trade["industry"]))
    lighten(rows)
    return rows


def lighten(found: list[Row]) -> None:
    """Nobody begins at the capacity of a pool: who has much gives the latest to a colleague of the region."""
    for rep, colleague, most in (("zhangsan", "zhaoliu", 40), ("chenwu", "huangba", 44)):
        held = [row for row in found if row["owner"] == {"login": rep} and "status" not in row]
        for row in held[most:]:
            row["owner"] = {"login": colleague}
            for member in row.get("members", ()):
                member["person"] = row["owner"]


def company(name: str, short: str, region: str, city: Row, industry: str) -> Row:
    stage = rng.choices(["potential", "qualified", "new", "repeat", "advocate"], [40, 22, 18, 16, 4])[0]
    scale, employees = pick(SIZES)
    row: Row = {"name": name, "short_name": short, "kind": "company", "stage": stage}
    row |= {"type": rng.choices(["regular", "vip", "key", "agent"], [76, 12, 8, 4])[0], "source": pick(SOURCES)}
    row |= {"industry": {"code": industry}, "region": {"code": region}, "scale": scale}
    row |= {"employees": employees + rng.randint(0, 40), "website": f"https://www.{digits(6)}.example.com"}
    row |= {"phone": f"{city['area']}-6{digits(6 if city.get('short') else 7)}"}
    row |= {"qualification": "qualified" if stage != "potential" else pick(["pending"] * 4 + ["unqualified"])}
    row |= {"uscc": uscc(city["division"]), "legal_rep": person(), "legal_status": "operating"}
    row |= {"registered_capital": pick([100, 500, 1000, 5000, 10000]) * 10000, "founded_on": day(1992, 2023)}
    row |= {"annual_revenue": pick([300, 800, 1200, 3500, 9000, 26000]) * 10000}
    row |= {"credit_limit": pick([5, 10, 20, 50]) * 10000, "payment_days": pick([0, 30, 30, 60, 90])}
    row |= {"created_at": f"today-{rng.randint(3, 420)} 09:{rng.randint(10, 59)}"}
    row |= ownership(region) | {"addresses": [address(city["division"])]}
    if stage in ("potential", "qualified"):
        row |= {"expected_amount": rng.randint(5, 120) * 10000, "expected_close": f"today+{rng.randint(10, 160)}"}
    if rng.random() < 0.05:
        row |= {"status": "abandoned", "status_reason": pick(["无需求", "价格", "失联", "选择竞品"])}
        row |= {"recontact_on": "today+90"}
    if rng.random() < 0.4:
        row["interests"] = interests()
    if row["owner"] and stage in ("new", "repeat", "advocate") and rng.random() < 0.6:
        row["members"] = [{"person": row["owner"], "role": "account", "access": "write"}]
    return row


def private_person(region: str) -> Row:
    row: Row = {"name": person(), "kind": "person", "phone": mobile(), "region": {"code": region}}
    row |= {"gender": pick(["male", "female"]), "stage": "potential", "source": pick(SOURCES)}
    row |= {"birthday": day(1965, 2002), "education": pick(["college", "bachelor", "master"])}
    return row | {"created_at": f"today-{rng.randint(3, 300)} 14:20"} | ownership(region)


def address(division: str) -> Row:
    row: Row = {"purposes": ["general", "shipping"], "province": {"code": division[:2] + "0000"}}
    if division[2:4] != "00":
        row["city"] = {"code": division}
    street = pick(["人民路", "科技大道", "工业园一路", "建设路", "创新大街", "中山路", "高新路"])
    return row | {"street": f"{street}{rng.randint(1, 999)}号", "preferred": True}


def interests() -> list[Row]:
    series = {"target": "series", "series": {"code": pick(["XA", "YA", "CJ", "TS"])}}
    need = {"target": "need", "topic": pick(["cost", "remote", "quality", "digital", "compliance"])}
    level = pick(["high", "medium", "low"])
    return [row | {"level": level} for row in rng.sample([series, need], rng.randint(1, 2))]


def contacts(found: list[Row]) -> list[Row]:
    rows: list[Row] = []
    for customer in found:
        names = people.setdefault(customer["name"], [])
        for number in range(0 if customer["kind"] == "person" else pick([1, 1, 2, 2, 3])):
            name = person()
            if name not in names:
                names.append(name)
                rows.append(contact(name, customer, main=number == 0))
    return rows


def contact(name: str, customer: Row, *, main: bool) -> Row:
    row: Row = {"name": name, "customer": {"name": customer["name"]}, "job_title": pick(WORDS["titles"])}
    row |= {"department": pick(WORDS["departments"]), "decision_role": pick(DECISION_ROLES), "mobile": mobile()}
    row |= {"email": f"c{digits(5)}@example.com", "main": main, "owner": customer["owner"]}
    return row | {"created_at": customer["created_at"]}


# --- deals, talks, tasks -------------------------------------------------------------------------------------------


def opportunities(found: list[Row]) -> list[Row]:
    able = [c for c in found if c["owner"] and "status" not in c and c["kind"] == "company"]
    stages = [stage for stage, count in STAGES.items() for _ in range(count)]
    rng.shuffle(stages)
    return [opportunity(pick(able), stage, number) for number, stage in enumerate(stages[:OPPORTUNITIES], 1)]


def opportunity(customer: Row, stage: str, number: int) -> Row:
    age = min(rng.randint(5, 240), age_of(customer))
    chosen = rng.sample([p for p in WORDS["products"] if p["type"] != "FZ"], rng.randint(1, 4))
    lines = [line(spec) for spec in chosen]
    total = sum(one["quantity"] * one["price"] * (100 - one["discount"]) / 100 for one in lines)
    row: Row = {"name": f"{customer['short_name']}{chosen[0]['name']}项目 {number:03d}"}
    row |= {"customer": {"name": customer["name"]}, "owner": customer["owner"]}
    row |= {"stage": stage, "priority": pick(["high", "medium", "medium", "low"]), "source": customer["source"]}
    row |= {"est_cost": round(total * rng.uniform(0.45, 0.75), 2), "expense": round(total * rng.uniform(0.01, 0.05), 2)}
    row |= {"lines": lines, "created_at": f"today-{age} 10:{rng.randint(10, 59)}"}
    if stage in ("won", "lost"):
        row["expected_close"] = row["closed_on"] = f"today-{rng.randint(0, age)}"
    else:
        row["expected_close"] = f"today{rng.randint(-12, 150):+d}"
    if stage == "lost":
        row["lost_reason"] = pick(["price", "competitor", "no_budget", "no_need", "product"])
        row["lost_to"] = {"name": pick(["竞品甲软件", "竞品乙科技", "竞品丙自动化"])}
    if rng.random() < 0.3:
        rival = {"competitor": {"name": "竞品甲软件"}, "threat": "high", "price": round(total * 0.95, 2)}
        row["competitors"] = [rival | {"strategy": "突出行业经验与服务响应"}]
    names = people.get(customer["name"])
    if names and rng.random() < 0.6:
        known = {"name": names[0], "customer": row["customer"]}
        row["influencers"] = [{"contact": known, "attitude": pick(["support", "neutral"]), "power": rng.randint(2, 5)}]
    return row


def line(spec: Row) -> Row:
    most = 3 if spec["price"] > 20000 else 20 if spec["price"] > 2000 else 100
    discount = pick([0, 0, 0, 5, 8, 10])
    quantity = rng.randint(1, most)
    return {"product": {"model": spec["model"]}, "quantity": quantity, "price": spec["price"], "discount": discount}


def communications(found: list[Row], deals: list[Row]) -> list[Row]:
    names: dict[str, list[str]] = {}
    for deal in deals:
        names.setdefault(deal["customer"]["name"], []).append(deal["name"])
    rows: list[Row] = []
    for customer in found:
        if customer["owner"] and rng.random() > 0.15:
            own = names.get(customer["name"], [])
            rows += [communication(customer, own) for _ in range(rng.randint(0, 6 if own else 3))]
    return rows


def communication(customer: Row, deals: list[str]) -> Row:
    kind = rng.choices(list(WORDS["subjects"]), [36, 18, 16, 20, 10])[0]
    at = f"today-{rng.randint(1, age_of(customer))} {rng.randint(9, 17):02d}:{pick(['00', '15', '30', '45'])}"
    row: Row = {"kind": kind, "at": at, "subject": pick(WORDS["subjects"][kind]), "owner": customer["owner"]}
    row |= {"customer": {"name": customer["name"]}, "content": pick(WORDS["contents"]), "result": pick(RESULTS)}
    row |= {"purpose": pick(PURPOSES), "minutes": pick([5, 10, 15, 30, 60, 90])}
    names = people.get(customer["name"])
    if names:
        row["contact"] = {"name": pick(names), "customer": row["customer"]}
    if deals and rng.random() < 0.6:
        row["opportunity"] = {"name": pick(deals)}
    return row


def tasks(found: list[Row], deals: list[Row]) -> list[Row]:
    rows: list[Row] = []
    for deal in deals:
        if deal["stage"] not in ("won", "lost") and rng.random() < 0.75:
            rows.append(task(deal["owner"], {"opportunity": {"name": deal["name"]}, "customer": deal["customer"]}))
    for customer in found:
        if customer["owner"] and rng.random() < 0.5:
            rows.append(task(customer["owner"], {"customer": {"name": customer["name"]}}))
    return rows


def task(owner: Row, about: Row) -> Row:
    offset = rng.randint(-20, 30)
    status = pick(["done", "done", "todo"]) if offset < -2 else pick(["todo", "todo", "doing"])
    row: Row = {"subject": pick(WORDS["tasks"]), "due_at": f"today{offset:+d} {rng.randint(9, 18):02d}:00"}
    row |= {"status": status, "priority": pick(["high", "medium", "medium", "low"]), "assignee": owner}
    return row | {"progress": {"done": 100, "doing": 50}.get(status, 0)} | about


def leads() -> list[Row]:
    return [lead(number) for number in range(LEADS)]


def lead(number: int) -> Row:
    region = pick(list(WORDS["cities"]))
    trade = pick(WORDS["trades"])
    name = f"{pick(WORDS['cities'][region])['name']}{pick(WORDS['brands'])}{trade['name']}有限公司"
    row: Row = {"company": name, "name": person(), "phone": mobile(), "consent": True}
    row |= {"industry": {"code": trade["industry"]}, "region": {"code": region}}
    row |= {"source": pick(["website", "exhibition", "campaign", "media"])}
    row |= {"message": pick(["想了解产品报价", "请安排演示", "需要方案资料", "咨询远程运维"])}
    row |= {"owner": None if number % 4 == 0 else {"login": pick([*REPS["east"], *REPS["south"]])}}
    row |= {"created_at": f"today-{rng.randint(0, 60)} 11:30", "status": pick(["new", "new", "working", "invalid"])}
    if row["status"] == "invalid":
        row["invalid_reason"] = "号码无法接通"
    if row["source"] == "website":
        row |= {"utm_source": "baidu", "utm_medium": "cpc", "utm_campaign": "mes-spring"}
    return row


# --- writing -------------------------------------------------------------------------------------------------------


def flow(value: Any) -> str:
    """The value in YAML's flow style, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    special = set(value) & set(":#,[]{}&*!|>'\"%@`+") or value[0].isdigit() or value[0] in "-=? " or value[-1] == " "
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if special else value


def write(file: str, entity: str, rows: list[Row]) -> None:
    lines = ["# Written by generate_demo.py", f"records: {entity}", "rows:", *(f"  - {flow(row)}" for row in rows)]
    (HERE / "demo" / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{file}: {len(rows)}")


def main() -> None:
    found = customers()
    made = contacts(found)
    deals = opportunities(found)
    write("30_product.yaml", "product", products())
    write("40_customer.yaml", "customer", found)
    write("50_contact.yaml", "contact", made)
    write("60_lead.yaml", "lead", leads())
    write("70_opportunity.yaml", "opportunity", deals)
    write("80_communication.yaml", "communication", communications(found, deals))
    write("90_task.yaml", "task", tasks(found, deals))


if __name__ == "__main__":
    main()
