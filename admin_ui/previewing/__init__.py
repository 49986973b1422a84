"""The draft as somebody else will see it: a person, a record, on a desktop and on a phone."""
