"""A small site of its own for the durability tests: platform and one package, without the stock application."""

from __future__ import annotations

from pathlib import Path

from metadata.packages import platform
from runtime.publishing.layers import package_layer
from runtime.publishing.publish import publish
from runtime.settings import Settings, new_secret, write_settings
from runtime.site import Site

PACKAGE = Path(__file__).parent / "package"


def site_with_package(folder: Path, database_url: str) -> Path:
    folder.mkdir(parents=True)
    settings = Settings(
        folder=folder,
        database_url=database_url,
        secret_key=new_secret(),
        packages=(str(PACKAGE),),
        embedded_worker=False,
    )
    write_settings(settings)
    with Site(settings) as site:
        publish(site, [platform(), package_layer(PACKAGE)], "durability")
    return folder
