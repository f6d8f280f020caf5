"""OpenAPI 3.1 for the user who asks: the entities, fields and operations he may use, and nothing else."""
