"""run-rules approval: a chain tried out, nothing started."""

from __future__ import annotations

import json
from typing import Any

import click

from runtime.commands.people import user_id
from runtime.decisions import approval_simulation
from runtime.errors import NotFound
from web.commands.shell import Failure, Shell


def simulate(shell: Shell, name: str, record: int | None, values: tuple[str, ...], login: str | None) -> None:
    """Prints the chain `name` would take on a record, or on made-up values `field=value`."""
    given = dict(_pair(text) for text in values)
    with shell.site().session(language=shell.language) as session:
        person = user_id(session, login) if login else None
        try:
            found = approval_simulation.simulate(session, name, record_id=record, values=given, submitter=person)
        except NotFound:
            raise Failure(
                f"There is no approval “{name}”, or no such record. ¦ 没有审批“{name}”或没有这条记录。"
            ) from None
    if shell.as_json:
        shell.data(found)
        return
    click.echo(found["summary"])
    for step in found["steps"]:
        people = ", ".join(f"{p['name']}{' (' + p['why'] + ')' if p['why'] else ''}" for p in step["people"])
        why = f" ({step['why']})" if step["why"] else ""
        click.echo(f"  {step['stage']}. {step['label']}: {step['result']}{why} {people}".rstrip())


def _pair(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign:
        raise Failure(f"“{text}” is not FIELD=VALUE. ¦ “{text}”不是 字段=值。", 2)
    if value[:1] in "[{":
        try:
            return name, json.loads(value)
        except json.JSONDecodeError:
            raise Failure(f"The value of “{name}” is not JSON. ¦ “{name}”的值不是 JSON。", 2) from None
    return name, value
