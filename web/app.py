"""The Flask application of a site."""

from __future__ import annotations

from flask import Flask
from flask_compress import Compress
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from runtime.site import Site
from web import account, cookies, errors, guard, late, pages, static_files
from web.api import PREFIX, create_api, create_operations
from web.catalogue import Catalogue
from web.dispatch import Application
from web.form_session import FormSessions
from web.hooks import create_hooks
from web.state import EXTENSION, Web
from web.templating import prepare


def create_app(site: Site, *, testing: bool = False) -> Flask:
    """The web application of `site`: pages, static files, and the API where it is installed.

    Raises `web.static_files.AssetsMissing` where the browser files were not built.
    """
    app = Application("web", static_folder=None, template_folder="templates")
    https = site.settings.base_url.startswith("https://")
    app.config.update(
        TESTING=testing,
        SECRET_KEY=site.settings.secret_key,
        SESSION_COOKIE_NAME=cookies.name(site, "octavo_form"),
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=2,
        COMPRESS_LEVEL=3,
        COMPRESS_MIN_SIZE=1_000,
        COMPRESS_MIMETYPES=["text/html", "application/json", "application/problem+json"],
        PROPAGATE_EXCEPTIONS=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    if site.settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=site.settings.proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    app.session_interface = FormSessions()
    app.extensions[EXTENSION] = Web(site=site, files=static_files.StaticFiles(), catalogue=Catalogue())
    guard.install(app, site.settings)
    csrf = CSRFProtect(app)
    Compress(app)
    prepare(app)
    errors.install(app)
    account.install(app)
    app.register_blueprint(static_files.blueprint)
    for blueprint in pages.blueprints():
        app.register_blueprint(blueprint)
    _install_api(app, site, csrf)
    return app


def _install_api(app: Flask, site: Site, csrf: CSRFProtect) -> None:
    """The API protects itself: a token, never the cookie alone, changes anything."""
    blueprint = create_api(site)
    app.register_blueprint(blueprint, url_prefix=PREFIX)
    csrf.exempt(blueprint)
    app.register_blueprint(create_operations(site))
    hooks = create_hooks(site)
    app.register_blueprint(hooks)
    csrf.exempt(hooks)
    forms = late.blueprint("web.web_forms")
    app.register_blueprint(forms)
    csrf.exempt(forms)
