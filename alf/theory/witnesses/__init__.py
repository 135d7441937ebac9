"""Points that refute: made only here, and checked when they are made."""
