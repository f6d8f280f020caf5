"""Jobs of technicians at customers. Importing the package registers what its rules use."""

from octavo_service_jobs import doing, functions, picking

__all__ = ["doing", "functions", "picking"]
