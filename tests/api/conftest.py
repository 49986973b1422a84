"""The API on each database, for every test of this folder."""

from apisite import api

__all__ = ["api"]
