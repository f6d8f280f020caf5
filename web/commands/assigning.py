"""What `run-rules` does with assignments and pools."""

from __future__ import annotations

from runtime.commands import assigning
from runtime.decisions.replay import Replay
from runtime.errors import NotFound
from runtime.publishing import layers as layering
from web.commands.shell import Failure, Shell


def run(
    shell: Shell, kind: str, name: str, *, dry_run: bool, period: str | None, published: bool, where: str | None
) -> None:
    """Runs one, counts what it would do, or replays an assignment over a period; raises `Failure` for a wrong name."""
    try:
        if kind == "pool":
            _counts(shell, assigning.run_pool(shell.site(), name, dry_run=dry_run))
        elif period is not None:
            _replay(shell, name, period, published)
        else:
            _counts(shell, assigning.run_assignment(shell.site(), name, where, dry_run=dry_run))
    except NotFound:
        raise Failure(f"There is no {kind} “{name}”. ¦ 没有名为“{name}”的 {kind}。") from None


def _counts(shell: Shell, counts: dict[str, int]) -> None:
    shell.table(("Result ¦ 结果", "Records ¦ 记录数"), sorted(counts.items()), value=counts)


def _replay(shell: Shell, name: str, period: str, published: bool) -> None:
    """As the folder says, which need not be published yet; with `published` as the site serves it."""
    site = shell.site()
    layers = None if published else layering.folder_layers(site.settings)
    found = assigning.replay_assignment(site, name, period, layers, shell.language)
    if shell.as_json:
        shell.data(assigning.replay_data(found))
        return
    shell.say(
        f"{found.total} records, {found.concerned} concerned, {found.changed} would differ. ¦ "
        f"{found.total} 条记录，适用 {found.concerned} 条，结果不同 {found.changed} 条。"
    )
    shell.table(("Rule ¦ 规则", "Records ¦ 记录数"), sorted(found.rules.items()))
    _people(shell, found)
    rows = [(d.record, d.title, d.rule, d.before, d.after) for d in found.differences]
    if rows:
        shell.table(("Id", "Record ¦ 记录", "Rule ¦ 规则", "Now ¦ 现在", "Then ¦ 回放"), rows)


def _people(shell: Shell, found: Replay) -> None:
    everybody = sorted({*found.now, *found.then}, key=lambda who: (-found.then.get(who, 0), who))
    rows = [(who or "-", found.now.get(who, 0), found.then.get(who, 0)) for who in everybody]
    shell.table(("Who ¦ 归属", "Now ¦ 现在", "Then ¦ 回放"), rows)
