"""What people write to each other on a record, and who follows it."""
