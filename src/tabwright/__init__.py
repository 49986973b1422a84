"""Tabwright: a low-code, configurable CRM platform. Its rooms stand beside this file; README.md has the map."""

__version__ = "0.1.0"
