"""package new, check, install, upgrade, remove, export, list."""

from __future__ import annotations

import re
from pathlib import Path

import click

from runtime.commands import checking, packages
from runtime.publishing import publish as publishing
from web.commands.metadata import print_problems
from web.commands.shell import Failure, Shell, group, option, pass_shell

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SOURCE = click.Path(path_type=Path, exists=True)


@group("package", "Industry templates: data packages. ¦ 行业模板包。")
def package() -> None:
    pass


@package.command("list", help="List the installed packages. ¦ 已安装的模板包。")
@pass_shell
def list_packages(shell: Shell) -> None:
    rows = [(p.name, p.version, p.label.of(shell.language)) for p in packages.listed(shell.site())]
    shell.table(("Name ¦ 名称", "Version ¦ 版本", "Label ¦ 说明"), rows)


@package.command("new", help="Begin a package in a folder of its name. ¦ 新建模板包。")
@click.argument("name")
@option("--to", type=click.Path(path_type=Path, file_okay=False), help="The folder (else ./NAME) ¦ 文件夹")
@pass_shell
def new(shell: Shell, name: str, to: Path | None) -> None:
    if not _NAME.fullmatch(name):
        raise Failure("A name has small letters, digits and _. ¦ 名称由小写字母、数字和下划线组成。", 2)
    folder = to or Path(name)
    written = packages.new(name, folder)
    shell.answer(
        [str(p) for p in written],
        f"Package {name} begun in {folder}; try octavo check {folder} ¦ 已创建 {folder}；可运行 octavo check {folder}",
    )


@package.command("check", help="Check a package on top of the stock application. ¦ 检查模板包。")
@click.argument("folder", type=_SOURCE)
@pass_shell
def check(shell: Shell, folder: Path) -> None:
    with packages.unpacked(folder) as found:
        layers = checking.layers_to_check(shell.folder, [found])
        compiled = publishing.check(layers)
        print_problems(shell, layers, compiled, "json" if shell.as_json else "text")
    raise click.exceptions.Exit(1 if compiled.errors else 0)


def _install(shell: Shell, source: Path, yes: bool, demo: bool) -> None:
    done = packages.install(shell.site(), source, accept=yes, demo=demo)
    shell.answer(
        {"package": done.name, "package_version": done.package_version, "version": done.version},
        f"Package {done.name} {done.package_version} is in version {done.version}. ¦ "
        f"模板包 {done.name} {done.package_version} 已随版本 {done.version} 发布。",
    )


@package.command("install", help="Install a package from a folder or zip, and publish. ¦ 安装模板包并发布。")
@click.argument("source", type=_SOURCE)
@option("--yes", "-y", is_flag=True, help="Accept what touches data ¦ 接受对数据的影响")
@option("--demo", is_flag=True, help="Its demonstration records too ¦ 同时载入演示数据")
@pass_shell
def install(shell: Shell, source: Path, yes: bool, demo: bool) -> None:
    _install(shell, source, yes, demo)


@package.command("upgrade", help="Replace a package by another version of it. ¦ 升级模板包。")
@click.argument("source", type=_SOURCE)
@option("--yes", "-y", is_flag=True, help="Accept what touches data ¦ 接受对数据的影响")
@pass_shell
def upgrade(shell: Shell, source: Path, yes: bool) -> None:
    _install(shell, source, yes, False)


@package.command("remove", help="Take a package out; its data stay in the database. ¦ 移除模板包，数据保留。")
@click.argument("name")
@option("--yes", "-y", is_flag=True, help="Accept what touches data ¦ 接受对数据的影响")
@pass_shell
def remove(shell: Shell, name: str, yes: bool) -> None:
    done = packages.remove(shell.site(), name, accept=yes)
    shell.answer(
        {"package": name, "version": done.version},
        f"Package {name} is out, version {done.version}. ¦ 模板包 {name} 已移除，版本 {done.version}。",
    )


@package.command("export", help="Make a package of what this site declares itself. ¦ 将本站点的元数据导出为模板包。")
@click.argument("name")
@option("--to", type=click.Path(path_type=Path), help="Folder or .zip (else ./NAME) ¦ 文件夹或 .zip")
@pass_shell
def export(shell: Shell, name: str, to: Path | None) -> None:
    if not _NAME.fullmatch(name):
        raise Failure("A name has small letters, digits and _. ¦ 名称由小写字母、数字和下划线组成。", 2)
    written = packages.export(shell.site(), name, to or Path(name))
    shell.answer([str(p) for p in written], f"{len(written)} files written. ¦ 已写入 {len(written)} 个文件。")
