"""The HTTP API, generated from the metadata: `create_api(site)` to be mounted at `/api/v1`."""

from __future__ import annotations

from web.api.blueprint import PREFIX, create_api
from web.api.operations import create_operations

__all__ = ["PREFIX", "create_api", "create_operations"]
