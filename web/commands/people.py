"""user, token."""

from __future__ import annotations

import secrets
import sys

import click

from runtime.commands import people
from web.commands.shell import Failure, Shell, group, option, pass_shell


@group("user", "Add users, set passwords and roles. ¦ 用户管理。")
def user() -> None:
    pass


@user.command("add", help="Add a person who may sign in. ¦ 新增用户。")
@click.argument("login")
@option("--name", help="The name shown (else the login) ¦ 姓名")
@option("--role", "roles", multiple=True, help="A role; may be given several times ¦ 角色，可多次给出")
@option("--email", help="E-mail address ¦ 邮箱")
@option("--password", help="The password (else one is made and shown) ¦ 密码（缺省时自动生成并显示）")
@pass_shell
def add(
    shell: Shell, login: str, name: str | None, roles: tuple[str, ...], email: str | None, password: str | None
) -> None:
    chosen = password or secrets.token_urlsafe(9)
    number = people.add_user(shell.site(), login, name or login, roles, chosen, email)
    shown = None if password else chosen
    told = "" if password else f" Password: {chosen}"
    said = "" if password else f" 密码：{chosen}"
    shell.answer(
        {"id": str(number), "login": login, "password": shown},
        f"User {login} can sign in.{told} ¦ 用户 {login} 已可登录。{said}",
    )


@user.command("list", help="List the people. ¦ 列出用户。")
@pass_shell
def list_users(shell: Shell) -> None:
    found = people.list_users(shell.site())
    headings = ("Login ¦ 账号", "Name ¦ 姓名", "Status ¦ 状态", "Roles ¦ 角色")
    rows = [(p["login"], p["name"], p["status"], ", ".join(p["roles"])) for p in found]
    shell.table(headings, rows, value=found)


@user.command("password", help="Set a password; open sessions end. ¦ 设置密码，已登录的会话随即失效。")
@click.argument("login")
@option("--password", help="The new password (else it is asked for or made) ¦ 新密码")
@pass_shell
def password(shell: Shell, login: str, password: str | None) -> None:
    chosen = password
    if chosen is None and sys.stdin.isatty():
        chosen = click.prompt(
            "Password" if shell.language == "en" else "密码", hide_input=True, confirmation_prompt=True
        )
    made = None if chosen else secrets.token_urlsafe(9)
    people.change_password(shell.site(), login, chosen or made or "")
    told, said = (f" Password: {made}", f" 密码：{made}") if made else ("", "")
    shell.answer(
        {"login": login, "password": made}, f"The password of {login} is changed.{told} ¦ {login} 的密码已更改。{said}"
    )


@user.command("role", help="Give or take roles. ¦ 授予或收回角色。")
@click.argument("login")
@option("--add", "added", multiple=True, help="A role to give ¦ 授予的角色")
@option("--remove", "removed", multiple=True, help="A role to take ¦ 收回的角色")
@pass_shell
def role(shell: Shell, login: str, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
    if not added and not removed:
        raise Failure("Give --add ROLE or --remove ROLE. ¦ 请给出 --add 或 --remove。", 2)
    roles = people.change_roles(shell.site(), login, added, removed)
    listed = ", ".join(roles) or "-"
    shell.answer({"login": login, "roles": roles}, f"Roles of {login}: {listed} ¦ {login} 的角色：{listed}")


@group("token", "Tokens for the API. ¦ 接口令牌。")
def token() -> None:
    pass


@token.command("create", help="Make a token for a user; it is shown once. ¦ 为用户创建令牌，仅显示一次。")
@click.argument("login")
@option("--name", default="command line", help="What it is for ¦ 用途")
@option("--days", type=click.IntRange(1, 3650), help="Ends after so many days ¦ 有效天数")
@pass_shell
def create(shell: Shell, login: str, name: str, days: int | None) -> None:
    made = people.create_token(shell.site(), login, name, days)
    shell.answer({"login": login, "token": made}, made)
    if shell.quiet and not shell.as_json:
        click.echo(made)


@token.command("list", help="List the tokens of a user. ¦ 列出用户的令牌。")
@click.argument("login")
@pass_shell
def list_tokens(shell: Shell, login: str) -> None:
    found = people.list_tokens(shell.site(), login)
    headings = ("No. ¦ 编号", "Name ¦ 用途", "Made ¦ 创建", "Used ¦ 最近使用", "Ends ¦ 到期")
    rows = [(t["id"], t["name"], t["created_at"], t["used_at"] or "", t["expires_at"] or "") for t in found]
    shell.table(headings, rows, value=found)


@token.command("revoke", help="End a token. ¦ 吊销令牌。")
@click.argument("login")
@click.argument("number", type=click.IntRange(1))
@pass_shell
def revoke(shell: Shell, login: str, number: int) -> None:
    people.revoke_token(shell.site(), login, number)
    shell.answer({"id": str(number)}, f"Token {number} is revoked. ¦ 令牌 {number} 已吊销。")
