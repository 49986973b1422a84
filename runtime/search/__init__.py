"""Global search: tokens, one row per record and rights class, and the query over them (decision 0011)."""
