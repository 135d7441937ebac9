"""The weighted risk on the simplex: how it is built, and its minimisation."""
