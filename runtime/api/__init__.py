"""The REST API: /api/v1, for programs and for our own pages' scripts."""

from tabwright.runtime.api.registration import register

__all__ = ["register"]
