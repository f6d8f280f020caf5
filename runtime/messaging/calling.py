"""Calling another program: signed, never at an address inside the network unless the site allows it, no redirects."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from runtime.site import Site

TIMEOUT = 10  # seconds
READ = 4096  # bytes of an answer that are looked at
TOLERANCE = 300  # seconds a signature may be old


class NotAllowed(Exception):  # noqa: N818 - an answer, not a mistake
    """The address lies where this site does not call."""


def signing_key(site: Site, key: str) -> str:
    """The secret both sides share, by its name: derived from the site's own key, shown by `octavo hook-key`."""
    return hmac.new(site.settings.secret_key.encode(), f"hook:{key}".encode(), hashlib.sha256).hexdigest()


def signature(secret: str, stamp: int, body: str) -> str:
    """`t=<seconds>,v1=<HMAC-SHA256 of "t.body">`, as the header `Octavo-Signature` has it."""
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def is_signed(secret: str, given: str, body: str, now: int) -> bool:
    """Whether a signature is right and not older than five minutes."""
    parts = dict(part.strip().partition("=")[::2] for part in given.split(","))
    stamp = parts.get("t", "")
    if not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > TOLERANCE:
        return False
    return hmac.compare_digest(signature(secret, int(stamp), body), f"t={stamp},v1={parts.get('v1', '')}")


def call(site: Site, url: str, key: str, event: str, body: str) -> int:
    """Posts JSON; the status of the answer. Raises `NotAllowed`, and `OSError` where nobody answers."""
    where = urlsplit(url)
    if where.scheme not in ("http", "https") or not where.hostname or where.username is not None:
        raise NotAllowed(f"not an address to call: {url[:200]}")
    port = where.port or (443 if where.scheme == "https" else 80)
    address = checked_address(site, where.hostname, port)
    connection = _connection(where.scheme, where.hostname, port, address)
    stamp = int(time.time())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Octavo",
        "Octavo-Event": event,
        "Octavo-Signature": signature(signing_key(site, key), stamp, body),
    }
    path = (where.path or "/") + (f"?{where.query}" if where.query else "")
    try:
        connection.request("POST", path, body.encode(), headers)
        answer = connection.getresponse()
        answer.read(READ)
        return answer.status
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def checked_address(site: Site, host: str, port: int) -> str:
    """The address a name stands for; all of them must be public. Raises `NotAllowed`, `OSError`."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not site.settings.allow_private_addresses:
        for address in found:
            if not _is_public(address):
                raise NotAllowed(f"{host} is an address inside this network")
    return found[0]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return _is_public(str(inner))
    return found.is_global and not found.is_multicast


class _Plain(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name stands for a moment later."""

    address = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _Secure(http.client.HTTPSConnection):
    address = ""

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def _connection(scheme: str, host: str, port: int, address: str) -> http.client.HTTPConnection:
    kind = _Secure if scheme == "https" else _Plain
    found = kind(host, port, timeout=TIMEOUT)
    found.address = address
    return found
