"""Designers of who may do what."""
