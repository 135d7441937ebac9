"""The claims that can be proved or refuted: one file a claim, and the domain a verdict is about."""
