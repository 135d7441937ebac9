"""Questions to the prover, and the cards and tables of its answers."""
