"""Questions to the workers: on whose behalf, whose turn it is, what comes back."""
