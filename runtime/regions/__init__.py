"""Provinces, cities and districts of China with their codes (GB/T 2260), and the names of countries."""
