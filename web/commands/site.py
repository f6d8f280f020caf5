"""init, backup, restore, rekey, doctor, verify, bench."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import click

from runtime import backup as making
from runtime import bootstrap
from runtime import restore as restoring
from runtime.commands import doctor as doctors
from runtime.commands import verify as verifying
from runtime.settings import CONFIG_FILE
from web.commands.shell import Failure, Shell, command, option, pass_shell


@command("init", "Create a site folder: configuration, database, version 1, an administrator. ¦ 创建站点文件夹。")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@option("--package", "packages", multiple=True, type=click.Path(path_type=Path), help="A package folder ¦ 模板包文件夹")
@option("--demo", is_flag=True, help="Load the demonstration records ¦ 载入演示数据")
@option("--if-missing", is_flag=True, help="Do nothing where the site is complete already ¦ 已存在则不做任何事")
@option("--admin-password", envvar="OCTAVO_ADMIN_PASSWORD", help="Password of the administrator ¦ 管理员密码")
@pass_shell
def init(
    shell: Shell,
    folder: Path | None,
    packages: tuple[Path, ...],
    demo: bool,
    if_missing: bool,
    admin_password: str | None,
) -> None:
    place = (folder or shell.folder).resolve()
    there = (place / CONFIG_FILE).is_file()
    for path in packages:
        if not (path / "package.yaml").is_file():
            raise Failure(f"{path}: no package.yaml in there. ¦ {path}：其中没有 package.yaml。", 2)
    try:
        result = bootstrap.init_site(place, packages, demo, admin_password)
    except bootstrap.MetadataError as error:
        raise _not_made(shell, error) from error
    try:
        _say_made(shell, result, place, there and if_missing)
    finally:
        result.site.close()


def _not_made(shell: Shell, error: bootstrap.MetadataError) -> Failure:
    from metadata.render import render_text, sources_of

    compiled = error.compiled
    click.echo(render_text(compiled.errors, sources_of(compiled.documents), shell.language), err=True)
    count = len(compiled.errors)
    return Failure(
        f"{count} errors in the metadata; no site was made. Mend them and run init again. ¦ "
        f"元数据有 {count} 个错误，没有创建站点；请改正后重试。"
    )


def _say_made(shell: Shell, result: bootstrap.InitResult, place: Path, quiet: bool) -> None:
    value = {"site": str(place), "version": result.version, "login": result.login, "password": result.password}
    if shell.as_json:
        shell.data(value)
        return
    if not (quiet and result.password is None):
        shell.say(f"Site {place}, version {result.version}. ¦ 站点 {place}，版本 {result.version}。")
    if result.password is not None:
        text = (
            f"Sign in as {result.login} with password {result.password} ¦ 账号 {result.login}，密码 {result.password}"
        )
        shell.warn(text) if shell.quiet else shell.say(text)


@command("backup", "Write the whole site to one file: database, files, settings. ¦ 将整个站点备份为一个文件。")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@option("--with-key", is_flag=True, help="Put the secret key in: whoever has the file has all ¦ 将密钥一并写入备份")
@pass_shell
def backup(shell: Shell, file: Path, with_key: bool) -> None:
    manifest = making.backup(shell.site(), file, with_key=with_key)
    size = f"{manifest['bytes'] / 1e6:.1f} MB"
    if with_key:
        text = f"{file}, {size}. It holds the secret key: keep it safe. ¦ {file}，{size}。其中含有密钥，请妥善保管。"
    else:
        text = (
            f"{file}, {size}. The secret_key of config.yaml is not in it: keep it elsewhere, {manifest['sealed']} "
            f"sealed values need it. ¦ {file}，{size}。其中没有 config.yaml 的 secret_key，请另行保管："
            f"{manifest['sealed']} 个加密的值需要它。"
        )
    shell.answer({**manifest, "file": str(file)}, text)


@command("restore", "Bring a backup back into the site folder. ¦ 从备份恢复站点文件夹。")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@option("--yes", "-y", is_flag=True, help="Replace the site that is there; it is kept, renamed ¦ 替换已有站点")
@option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with the secret_key of the site ¦ 存有 secret_key 的文件",
)
@option("--new-key", is_flag=True, help="The key is lost: give up what it sealed ¦ 密钥已丢失，放弃加密的值")
@pass_shell
def restore(shell: Shell, file: Path, yes: bool, key_file: Path | None, new_key: bool) -> None:
    if not file.is_file():
        raise Failure(f"{file}: no such file. ¦ {file}：没有这个文件。", 2)
    key = key_file.read_text(encoding="utf-8").strip() if key_file else None
    manifest = restoring.restore(shell.folder, file, replace_existing=yes, key=key, new_key=new_key)
    made, kept = manifest["made_at"], ", ".join(manifest["kept"])
    shell.answer({**manifest, "site": str(shell.folder)}, _restored(made, shell.folder, kept))


def _restored(made: str, folder: Path, kept: str) -> str:
    before = (f" What was there is kept in {kept}.", f"原有内容保留在 {kept}。") if kept else ("", "")
    return f"The site of {made} is in {folder}.{before[0]} ¦ {made} 的站点已恢复到 {folder}。{before[1]}"


@command("rekey", "Go over to a new secret_key; sealed values are sealed anew. ¦ 更换 secret_key，并重新加密。")
@option("--finish", is_flag=True, help="After the servers were restarted: drop the old key ¦ 重启后删除旧密钥")
@option("--sign-out", is_flag=True, help="End all sessions and revoke all tokens ¦ 结束所有会话并吊销所有令牌")
@pass_shell
def rekey(shell: Shell, finish: bool, sign_out: bool) -> None:
    from runtime.security.rekey import rekey as going_over  # late: encryption is heavy to load

    done = going_over(shell.folder, finish=finish, sign_out=sign_out)
    if done.unreadable:
        shell.warn(f"{done.unreadable} values are sealed by neither key. ¦ {done.unreadable} 个值无法用新旧密钥打开。")
    if done.finished:
        text = "The old key is no longer needed. ¦ 旧密钥已不再需要。"
    else:
        text = (
            f"{done.resealed} values are sealed with the new key. Restart the servers, then run: octavo rekey "
            f"--finish ¦ "
            f"{done.resealed} 个值已用新密钥加密。请重启服务，然后运行 octavo rekey --finish"
        )
    value = {"resealed": done.resealed, "unreadable": done.unreadable, "finished": done.finished}
    shell.answer({**value, "signed_out": done.signed_out}, text)


@command("doctor", "Look for what is wrong with the site. Exit 1 for errors. ¦ 站点体检，有错误时退出码为 1。")
@pass_shell
def doctor(shell: Shell) -> None:
    found = doctors.examine(shell.site())
    mark = {"ok": "✓", "warning": "!", "error": "✗"}
    if shell.as_json:
        shell.data([{"code": f.code, "state": f.state, "sentence": f.sentence(shell.language)} for f in found])
    else:
        for f in found:
            if f.state != "ok" or not shell.quiet:
                click.echo(f"{mark[f.state]} {f.sentence(shell.language)}")
    raise click.exceptions.Exit(1 if any(f.state == "error" for f in found) else 0)


@command("verify", "Verify computed values against their members, and the seal of the audit. ¦ 校验汇总值与审计封印。")
@option("--repair", is_flag=True, help="Bring what drifted back into line ¦ 修正偏差")
@pass_shell
def verify(shell: Shell, repair: bool) -> None:
    result: dict[str, Any] = verifying.verify(shell.site(), repair=repair)
    if shell.as_json:
        shell.data(result)
    else:
        for line in verifying.lines(result, shell.language):
            click.echo(line)
    raise click.exceptions.Exit(1 if result["audit"] or result["ledgers"] or (result["drift"] and not repair) else 0)


@command("bench", "Measure this machine against a hand-written program. ¦ 与手写程序对比测试性能。")
@option("--records", type=click.IntRange(1000), default=100_000, show_default=True, help="Records ¦ 记录数")
@option("--grow", type=click.IntRange(0), default=0, help="Records of the growth figures ¦ 增长测试的记录数")
@option("--database", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", help="Database ¦ 数据库")
@option("--only", multiple=True, help="Only this figure; may be repeated ¦ 只测此项，可重复")
@option(
    "--users", type=click.IntRange(0), default=0, help="People at once, instead of the figures ¦ 并发用户数（压力测试）"
)
@option("--seconds", type=click.IntRange(1), default=1800, show_default=True, help="How long they work ¦ 压力测试秒数")
@pass_shell
def bench(
    shell: Shell, records: int, grow: int, database: str, only: tuple[str, ...], users: int, seconds: int
) -> None:
    if importlib.util.find_spec("tests") is None or importlib.util.find_spec("tests.bench") is None:
        raise Failure("The benchmark comes with a checkout of the source. ¦ 性能测试需要源代码目录。")
    measured = importlib.import_module("tests.bench.command")
    say = None if shell.quiet else shell.say
    if users:
        result = measured.load(records, database, users, seconds, say)
    else:
        result = measured.measure(records, grow, database, only, say)
    shell.answer(result, measured.table(result))
