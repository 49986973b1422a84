"""The REST API: /api/v1, for programs and for our own pages' scripts."""
