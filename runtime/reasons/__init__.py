"""Why somebody may or may not do something, told from what the access gate itself decides by."""
