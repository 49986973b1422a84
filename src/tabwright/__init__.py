"""Tabwright: a low-code, configurable CRM platform. The rooms stand beside this file; see README.md for the map."""

__version__ = "0.1.0"
