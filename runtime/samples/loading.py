"""Loading sample data: every file of the stock application and the packages, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from runtime import samples

if TYPE_CHECKING:
    from runtime.site import Session, Site

Open = Callable[[], AbstractContextManager["Session"]]


def files(site: Site) -> list[tuple[str, Path]]:
    """(mark, file) of the sample data that the stock application and the packages of the site bring."""
    from runtime.bootstrap import data_folders  # late: making a site stands on this package

    return list(_files(data_folders(site.settings)))


def _files(folders: list[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    for name, data in folders:
        for file in sorted((data / "demo").glob("*.yaml")):
            yield f"{samples.MARK}{name}", file


def load(site: Site, opening: Open) -> None:
    """Loads what is not loaded yet, in sessions of the system that `opening` gives. Raises `SeedError`, answers.

    Nobody it brings gets a password, and nothing is loaded that could not be taken back.
    """
    from runtime.bootstrap import load_once  # late, as above

    wanted = files(site)
    for place, (mark, file) in enumerate(wanted):
        with opening() as session:
            load_once(session, mark, file, removable=True)
            samples.write(session, samples.Status(state=samples.LOADING, done=place + 1, total=len(wanted)))
    with opening() as session:
        samples.write(session, samples.Status(state=samples.LOADED))
