"""Related lists of a record's page: their rows, and links between records (many to many)."""
