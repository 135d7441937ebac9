"""Data sets: what there is, how it is read and split. Nothing heavy is imported until a data set is loaded."""
