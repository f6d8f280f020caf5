"""Rule functions about days. Importing the package registers them."""

from octavo_functions_days import days

__all__ = ["days"]
