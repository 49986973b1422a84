"""The form of any component, made from the JSON Schema of its kind, and back."""
