"""What happened to a record and what people say about it: one column on the record page."""
