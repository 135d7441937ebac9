"""Every hint, and what is said of a verdict."""
