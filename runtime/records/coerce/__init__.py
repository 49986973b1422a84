"""From what people, programs and files send to typed values: one module for each family of types."""
