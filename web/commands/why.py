"""explain, eval."""

from __future__ import annotations

from typing import Any

import click

from runtime import explain as explaining
from runtime.commands.people import user_id
from web.commands.shell import Failure, Group, Shell, command, option, pass_shell


class Explain(Group):
    """The fixed sub-commands, and one for each kind of rule that explains itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *explaining.explainers()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        fixed = super().get_command(ctx, name)
        return fixed or (_decision(name) if name in explaining.explainers() else None)


@click.group("explain", cls=Explain, help="Why a value, an access or a decision is as it is. ¦ 解释结果的原因。")
def explain() -> None:
    pass


@explain.command("formula", help="Why a field of a record has its value. ¦ 字段为何是这个值。")
@click.argument("entity")
@click.argument("identity", type=click.IntRange(1))
@click.argument("field")
@option("--user", "login", help="As this user sees it ¦ 以该用户的权限")
@pass_shell
def formula(shell: Shell, entity: str, identity: int, field: str, login: str | None) -> None:
    site = shell.site()
    with site.session() as session:
        person = user_id(session, login) if login else None
        if entity not in session.app.entities or field not in session.app.entities[entity].fields:
            raise Failure(f"There is no field {entity}.{field}. ¦ 没有字段 {entity}.{field}。", 2)
    with site.session(person, language=shell.language) as session:
        found = explaining.value(session, entity, identity, field)
    if shell.as_json:
        shell.data(found)
        return
    click.echo(f"{found['label']}: {found['why']}")
    if "formula" in found:
        click.echo(f"  {found['formula']} = {found['text']}")
        _print_steps(found.get("steps") or [])
    _print_told(found.get("numbering") or {})
    for name in ("path", "default"):
        if name in found:
            click.echo(f"  {found[name]}")


def _print_steps(steps: list[dict[str, Any]]) -> None:
    for step in steps:
        click.echo(f"  {'  ' * step['depth']}{step['text']} → {step['value']}")


@explain.command("access", help="What a user may do with a record, and by which role. ¦ 用户对记录有哪些权限及其来源。")
@click.argument("entity")
@click.argument("identity", type=click.IntRange(1))
@option("--user", "login", required=True, help="The user ¦ 用户")
@pass_shell
def access(shell: Shell, entity: str, identity: int, login: str) -> None:
    site = shell.site()
    with site.session() as session:
        person = user_id(session, login)
    with site.session(person, language=shell.language) as session:
        found = explaining.access(session, entity, identity)
    rows = [
        (
            o["operation"],
            "✓" if o["allowed"] else "✗",
            "; ".join(
                f"{r['role']}: {s['scope']} {'✓' if s['holds'] else '✗'}" for r in o["roles"] for s in r["scopes"]
            ),
        )
        for o in found["operations"]
    ]
    shell.table(("Operation ¦ 操作", "Allowed ¦ 允许", "Why ¦ 原因"), rows, value=found)


def _decision(word: str) -> click.Command:
    """`octavo explain <kind> ENTITY ID`, for every kind of rule that can say why."""

    @command(word, help=f"Why a rule decided as it did: {word}. ¦ 规则为何如此决定：{word}。")
    @click.argument("entity")
    @click.argument("identity", type=click.IntRange(1))
    @option("--user", "login", help="As this user sees it ¦ 以该用户的权限")
    @pass_shell
    def decision(shell: Shell, entity: str, identity: int, login: str | None) -> None:
        _print_decision(shell, word, entity, identity, login)

    found: click.Command = decision
    return found


def _print_decision(shell: Shell, word: str, entity: str, identity: int, login: str | None) -> None:
    site = shell.site()
    with site.session() as session:
        person = user_id(session, login) if login else None
    with site.session(person, language=shell.language) as session:
        found = explaining.why(session, entity, identity, word)
    if shell.as_json:
        shell.data(found)
        return
    _print_told(found)


def _print_told(found: dict[str, Any]) -> None:
    """A decision for people: its sentence, and its steps one a line; nothing of an empty one."""
    if found:
        click.echo(found.get("summary") or "")
    for step in found.get("steps") or ():
        said = [str(step[key]) for key in ("label", "result", "why") if step.get(key) not in (None, "")]
        click.echo("  " + " · ".join(said))


@command("eval", "Evaluate one expression on one record. ¦ 对一条记录求一个表达式的值。")
@click.argument("entity")
@click.argument("identity", type=click.IntRange(1))
@click.argument("expression")
@option("--steps", is_flag=True, help="Show every operand ¦ 显示每一步")
@option("--user", "login", help="As this user sees it ¦ 以该用户的权限")
@pass_shell
def evaluate(shell: Shell, entity: str, identity: int, expression: str, steps: bool, login: str | None) -> None:
    site = shell.site()
    with site.session() as session:
        person = user_id(session, login) if login else None
    with site.session(person, language=shell.language) as session:
        found = explaining.evaluate_text(session, entity, identity, expression)
    if shell.as_json:
        shell.data(found)
        return
    click.echo("" if found["value"] is None else str(found["value"]))
    if steps:
        _print_steps(found["steps"])
