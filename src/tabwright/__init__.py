"""Tabwright: a low-code, configurable CRM platform. The rooms stand beside it; README.md has a map."""

__version__ = "0.1.0"
