"""A phase map in the page: what it is made of, its colours as they come, and what stands behind a cell."""
