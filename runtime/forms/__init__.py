"""Layouts, rights and a Model made into record pages and forms: unrolled once, filled per request."""
