"""Records in and out as files: import, export, sample data."""
