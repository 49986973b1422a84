"""Studio's own editors: list views, apps and tabs, record types, global picklists; and the way to them."""
