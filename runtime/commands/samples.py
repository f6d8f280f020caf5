"""Sample data from the command line: done at once, in this process."""

from __future__ import annotations

from contextlib import AbstractContextManager

from runtime import samples
from runtime.errors import Conflict
from runtime.samples.loading import load as load_files
from runtime.samples.removing import remove as remove_all
from runtime.site import Session, Site


def load(site: Site) -> dict[str, int]:
    """Loads what the packages bring; how many records of each entity there are. Raises `Conflict`, `SeedError`.

    What broke off before, in a worker or here, is taken up again.
    """

    def opening() -> AbstractContextManager[Session]:
        return site.session(write=True)

    with opening() as session:
        now = samples.status(session)
        if now.state == samples.REMOVING:
            raise Conflict("sample.busy")
        if now.state not in (samples.LOADING, samples.FAILED) and not samples.offered(session):
            raise Conflict("sample.there" if samples.marked(session) else "sample.none")
        samples.write(session, samples.Status(state=samples.LOADING))
    load_files(site, opening)
    with site.session() as session:
        return samples.counts(session)


def remove(site: Site) -> samples.Status:
    """Removes what can be removed; what came of it. Raises `Conflict` where there is none."""

    def opening() -> AbstractContextManager[Session]:
        return site.session(write=True)

    with opening() as session:
        if samples.status(session).state == samples.LOADING:
            raise Conflict("sample.busy")
        if not samples.counts(session):
            raise Conflict("sample.unknown")
    return remove_all(opening)
