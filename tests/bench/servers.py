"""The two servers that are compared: the same WSGI server, the same number of workers, the same kind of database."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_it_answers(
    port: int, process: subprocess.Popen[bytes], path: str = "/healthz", cookie: str = "", seconds: float = 60
) -> float:
    """Seconds until the port accepts and answers; raises when the process ends before."""
    began = time.perf_counter()
    asked = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
    while time.perf_counter() - began < seconds:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2) as connection:
            connection.settimeout(seconds)
            connection.sendall(asked)
            answer = connection.recv(16)
            if answer.startswith(b"HTTP/"):
                if cookie and b" 200" not in answer:
                    raise RuntimeError(f"{path} answered {answer!r}")
                return time.perf_counter() - began
        time.sleep(0.02)
    raise RuntimeError("the server did not answer in time")


def resident_mib(pid: int) -> dict[str, list[float]]:
    """Resident memory of the process and its children, MiB each, by what they are called (Linux)."""
    found: dict[str, list[float]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line)
            if int(entry.name) == pid or int(status["PPid"]) == pid:
                found.setdefault(status["Name"].strip(), []).append(int(status["VmRSS"].split()[0]) / 1024)
    return found


def cpu_seconds(pid: int) -> float | None:
    """What the process and its children have computed so far; None where the system does not say (it is Linux's)."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            if int(entry.name) == pid or int(parent) == pid:
                found += sum(int((t / "schedstat").read_text().split()[0]) for t in (entry / "task").iterdir())
    return found / 1e9 or None


@contextlib.contextmanager
def running(
    command: list[str],
    environment: dict[str, str],
    log: Path,
    folder: Path = ROOT,
    first: tuple[str, str] = ("/healthz", ""),
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The server, answering; `first` is the page it is asked for, with the cookie of whoever asks."""
    port = free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in command],
            cwd=folder,
            env=_with_bytecode(log.parent) | environment,
            stdout=output,
            stderr=output,
        )
        try:
            try:
                wait_until_it_answers(port, process, *first)
            except RuntimeError as problem:
                problem.add_note(log.read_text(errors="replace")[-2000:])  # the folder goes with the benchmark
                raise
            yield port, process
        finally:
            process.terminate()
            try:
                process.wait(40)  # longer than workers are given to end
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _with_bytecode(folder: Path) -> dict[str, str]:
    """The environment, and a place for bytecode: an installed program has its own, a checkout that is read-only none."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return known | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def floor_server(
    url: str, secret: str, workers: int, folder: Path, first: tuple[str, str] = ("/healthz", "")
) -> contextlib.AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-ws", "--host", "127.0.0.1"),
        *("--port", "{port}", "--workers", str(workers), "--blocking-threads", "4", "tests.bench.floor.app:wsgi"),
    ]
    return running(command, {"FLOOR_DATABASE_URL": url, "FLOOR_SECRET": secret}, folder / "floor.log", first=first)


def octavo_server(
    site: Path, workers: int, folder: Path, first: tuple[str, str] = ("/healthz", "")
) -> contextlib.AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    command = [
        sys.executable,
        "-m",
        "web.cli",
        "--site",
        str(site),
        "serve",
        "--port",
        "{port}",
        "--workers",
        str(workers),
    ]
    return running(command, {}, folder / "octavo.log", first=first)
