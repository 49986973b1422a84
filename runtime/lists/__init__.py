"""List views made into tables: unrolled once, filled per request."""
