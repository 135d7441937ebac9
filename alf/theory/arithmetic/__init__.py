"""Enclosures: intervals, balls, limits and signs of expressions. No word about losses here."""
