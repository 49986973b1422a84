"""Tables of lines inside a form: records of another object that are edited and saved with their head."""
