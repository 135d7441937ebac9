"""A run in the page: its buttons, its curves, and what there is to see inside."""
