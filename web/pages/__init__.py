"""The pages, one blueprint to a file."""

from web.pages import bin, exporting, home, importing, lists, lookups, records, related, reports, search, uploads

_PAGES = (home, lists, records, related, lookups, search, bin, reports, importing, exporting, uploads)
BLUEPRINTS = tuple(page.blueprint for page in _PAGES)
