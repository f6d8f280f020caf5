"""Another `secret_key`: both keys open what is sealed until everything is sealed with the new one.

    octavo rekey            a new key into config.yaml, the present one kept as `secret_key_before`; seals anew
    (restart the servers)   they write with the new key from here on
    octavo rekey --finish   seals what the servers wrote with the old key meanwhile; the old key leaves the settings

Broken off anywhere, each step is run again and goes on. Where the key comes from the environment, the operator sets
OCTAVO_SECRET_KEY and OCTAVO_SECRET_KEY_BEFORE himself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from runtime.errors import Conflict
from runtime.schema.internal import session as session_table
from runtime.schema.internal import token as token_table
from runtime.security.secrets import reseal
from runtime.settings import CONFIG_FILE, load_settings, new_secret, read_config, write_config
from runtime.site import Session, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """`finished`: the old key is gone from the settings. `unreadable` values were sealed by neither key."""

    resealed: int
    unreadable: int
    finished: bool
    signed_out: int


def rekey(
    folder: Path,
    *,
    finish: bool = False,
    sign_out: bool = False,
    progress: Callable[[int], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Rekeyed:
    """A step of going over to a new key. `sign_out` also ends every session and revokes every token of the API.

    Raises `Conflict` where there is nothing to finish, or the environment holds the key and not the one before.
    """
    environment = os.environ if environment is None else environment
    settings = load_settings(folder, environment)
    if not settings.secret_key_before:
        if finish:
            raise Conflict("rekey.nothing")
        if "OCTAVO_SECRET_KEY" in environment:
            raise Conflict("rekey.environment")
        config = read_config(settings.folder / CONFIG_FILE)
        write_config(settings.folder, {**config, "secret_key": new_secret(), "secret_key_before": settings.secret_key})
        settings = load_settings(folder, environment)
    with Site.open(settings=settings) as site:
        done = reseal(site, progress)
        signed_out = 0
        if sign_out:
            with site.session(write=True) as session:
                signed_out = _sign_all_out(session)
    finished = finish and "OCTAVO_SECRET_KEY_BEFORE" not in environment
    if finished:
        write_config(settings.folder, {**read_config(settings.folder / CONFIG_FILE), "secret_key_before": ""})
    return Rekeyed(resealed=done.resealed, unreadable=done.unreadable, finished=finished, signed_out=signed_out)


def _sign_all_out(session: Session) -> int:
    """Ends every session, revokes every token; how many."""
    ended = session.connection.execute(sa.delete(session_table)).rowcount
    living = token_table.c.revoked_at.is_(None)
    revoked = session.connection.execute(sa.update(token_table).where(living).values(revoked_at=session.now)).rowcount
    return int(ended + revoked)
