"""The pages of end users: sign-in, home, lists, records, forms, search, settings."""
