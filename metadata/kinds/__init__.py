"""One module for each family of kinds: what a document of the kind compiles to."""
