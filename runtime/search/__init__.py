"""Global search: tokens, one row per record, and the query over them (decision 0011)."""
