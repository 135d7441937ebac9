"""Whether a loss is asymmetric on given label weights: one file a rule."""
