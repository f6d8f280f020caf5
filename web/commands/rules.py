"""run-rules, remind, hook-key."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from runtime.commands import rules
from web.commands import assigning, simulating
from web.commands.shell import Failure, Shell, command, option, pass_shell


@command("run-rules", "Run a rule by hand, or say what it would have done. ¦ 手动运行规则，或说明它会做什么。")
@click.argument("kind", type=click.Choice(["workflow", "assignment", "pool", "approval"]))
@click.argument("name")
@option("--dry-run", is_flag=True, help="Only count, over what has happened ¦ 只按历史计数")
@option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day (30 days ago) ¦ 从这一天起（默认 30 天前）")
@option(
    "--replay", "period", help="An assignment over last_month, 30d or DAY..DAY, writing nothing ¦ 回放分配规则，不写入"
)
@option("--published", is_flag=True, help="Replay what is published, not the folder ¦ 回放已发布的规则")
@option("--simulate", is_flag=True, help="Show the chain an approval would take ¦ 显示审批会走的流程")
@option("--record", type=click.IntRange(1), help="Simulate on this record ¦ 用这条记录模拟")
@option("--set", "values", multiple=True, help="Simulate with FIELD=VALUE ¦ 用 字段=值 模拟")
@option("--user", "login", help="Simulate as submitted by this user ¦ 模拟由该用户提交")
@option("--where", help="Only the records for which this holds ¦ 只处理符合条件的记录")
@pass_shell
def run_rules(
    shell: Shell,
    kind: str,
    name: str,
    dry_run: bool,
    since: datetime | None,
    period: str | None,
    published: bool,
    where: str | None,
    simulate: bool,
    record: int | None,
    values: tuple[str, ...],
    login: str | None,
) -> None:
    if kind == "approval":
        if not simulate:
            raise Failure("Approvals start by themselves; --simulate shows one. ¦ 审批自行开始；--simulate 可模拟。", 2)
        simulating.simulate(shell, name, record, values, login)
        return
    if kind != "workflow":
        assigning.run(shell, kind, name, dry_run=dry_run, period=period, published=published, where=where)
        return
    site = shell.site()
    if dry_run:
        start = since.replace(tzinfo=site.zone) if since else site.clock.now() - timedelta(days=30)
        found = rules.would_have(site, name, start)
        if found is None:
            raise Failure(f"There is no workflow “{name}”. ¦ 没有工作流“{name}”。")
        note = "" if found.exact else " (conditions by the records as they are now ¦ 条件按记录的现状判断)"
        text = (
            f"{name}: would have fired {found.fired} times on {found.records} records since {start:%Y-%m-%d}{note}. ¦ "
            f"{name}：自 {start:%Y-%m-%d} 起会触发 {found.fired} 次，涉及 {found.records} 条记录{note}。"
        )
        shell.answer({"workflow": name, "fired": found.fired, "records": found.records, "exact": found.exact}, text)
        return
    started = rules.run_workflow(site, name)
    if started is None:
        raise Failure(f"There is no workflow “{name}” that the clock sets off. ¦ 没有由时间触发的工作流“{name}”。")
    shell.answer({"workflow": name, "jobs": started}, f"{name}: started. ¦ {name}：已开始。")


@command("remind", "Run reminders now, or say how many would be told. ¦ 立即运行提醒，或说明会提醒多少。")
@click.argument("names", nargs=-1)
@option("--dry-run", is_flag=True, help="Only count; nobody is told ¦ 只计数，不通知")
@pass_shell
def remind(shell: Shell, names: tuple[str, ...], dry_run: bool) -> None:
    site = shell.site()
    if unknown := rules.unknown_reminders(site, names):
        raise Failure(f"There is no reminder “{unknown}”. ¦ 没有提醒“{unknown}”。")
    if not dry_run:
        job = rules.remind(site, names)
        shell.answer({"job": job}, f"Reminders run as job {job}. ¦ 提醒作为任务 {job} 运行。")
        return
    found = rules.forecasts(site, names)
    rows = [(f.reminder, f.records, f.people if f.people is not None else "–", f.lines or 0) for f in found]
    value = [{"reminder": f.reminder, "records": f.records, "people": f.people, "lines": f.lines} for f in found]
    shell.table(("reminder", "records", "people", "lines"), rows, value=value)


@command("hook-key", "Show the secret that webhooks of a name are signed with. ¦ 显示某个外部调用的密钥。")
@click.argument("name")
@pass_shell
def hook_key(shell: Shell, name: str) -> None:
    key = rules.hook_key(shell.site(), name)
    shell.answer({"name": name, "key": key}, key)
