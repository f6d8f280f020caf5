"""serve, worker, scheduler."""

from __future__ import annotations

import signal
from threading import Event

import click

from runtime.settings import load_settings
from web.commands.shell import Shell, command, option, pass_shell


@command(
    "serve",
    "Start the web server; without Redis the background jobs run inside. ¦ 启动网站，后台任务在内部运行。",
)
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on ¦ 监听地址")
@option(
    "--port", type=click.IntRange(1, 65535), default=8000, envvar="OCTAVO_PORT", show_default=True, help="Port ¦ 端口"
)
@option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    envvar="OCTAVO_WORKERS",
    show_default=True,
    help="Processes ¦ 进程数",
)
@pass_shell
def serve(shell: Shell, host: str, port: int, workers: int) -> None:
    from web import serving  # late: the web application is heavy, and only this command needs it

    if not shell.site().is_compiled:
        shell.close()
        serving.compile_apart(shell.folder)
    published = shell.site().published()  # says what is wrong before any server starts
    shell.close()
    shell.say(f"http://{host}:{port} (Ctrl+C stops) ¦ http://{host}:{port} （Ctrl+C 停止）")
    serving.serve(shell.folder, host, port, workers, published)


@command("worker", "Run background jobs until told to stop. ¦ 运行后台任务，直到停止。")
@option("--once", is_flag=True, help="Run what is due now and end ¦ 执行到期任务后退出")
@pass_shell
def worker(shell: Shell, once: bool) -> None:
    from runtime.jobs import Worker
    from web.logging import configure_logging

    site = shell.site()
    configure_logging(site.folder)
    if once:
        count = Worker(site).run_all()
        shell.answer({"jobs": count}, f"{count} jobs done. ¦ 已执行 {count} 个任务。")
        return
    if load_settings(shell.folder).redis_url:
        from runtime.jobs.relay import rq_worker

        rq_worker(site).work()
        return
    Worker(site).run_forever(_stopped_by_signal(site.bell.ring))


@command("scheduler", "Start what is due by schedule, until told to stop. ¦ 运行定时任务，直到停止。")
@option("--once", is_flag=True, help="Look once and end ¦ 只检查一次")
@pass_shell
def scheduler(shell: Shell, once: bool) -> None:
    from runtime.jobs.scheduler import Scheduler
    from web.logging import configure_logging

    site = shell.site()
    configure_logging(site.folder)
    if once:
        count = Scheduler(site).tick()
        shell.answer({"fired": count}, f"{count} jobs enqueued. ¦ 已加入 {count} 个任务。")
        return
    Scheduler(site).run_forever(_stopped_by_signal(site.bell.ring))


def _stopped_by_signal(wake: object) -> Event:
    stop = Event()

    def told(_number: int, _frame: object) -> None:
        stop.set()
        if callable(wake):
            wake()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop
