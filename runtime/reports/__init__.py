"""Reports: declared figures by groups, or lists with parameters, as the person who runs them may see them."""

from runtime.reports.result import Cell, Heading, ReportResult
from runtime.reports.run import run

__all__ = ["Cell", "Heading", "ReportResult", "run"]
