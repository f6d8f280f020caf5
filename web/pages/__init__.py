"""The pages, one blueprint to a file."""

from web.pages import bin, exporting, home, importing, lists, lookups, records, related, reports, search, uploads

BLUEPRINTS = tuple(
    page.blueprint for page in (home, lists, records, related, lookups, search, bin, reports, importing, exporting, uploads)
)
