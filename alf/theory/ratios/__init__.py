"""The asymmetry ratio r and the upper ratio: closed forms, limits, certified brackets, grids."""
