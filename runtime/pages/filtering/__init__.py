"""Filters on the pages: chips that say what narrows a list, and a builder in rows beside the formula."""
