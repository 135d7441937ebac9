"""The list of runs, and what a reader does to one."""
