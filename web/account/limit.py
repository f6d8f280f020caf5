"""How often one address may try to sign in, whatever the accounts; wrong passwords are counted besides."""

from __future__ import annotations

from flask import request

from runtime.security.ratelimit import count_call
from web.state import web

MOST = 30  # a minute


def limit_sign_in() -> None:
    """Before a request of the sign-in pages: raises `TooManyRequests` where a POST is one too many."""
    if request.method == "POST":
        with web().site.session(write=True) as session:
            count_call(session, f"sign-in:{request.remote_addr}", MOST)
