"""Changes of components in sentences: what a publish does, as an administrator would say it."""
