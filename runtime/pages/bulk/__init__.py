"""The pages of bulk changes: the bar under a list, choosing values, what would happen, how far it is."""
