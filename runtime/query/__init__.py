"""The read path: get, list, count, aggregate, related lists and lookup options, all through one gate (G7)."""
