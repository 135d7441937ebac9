"""Asymmetric losses for learning with noisy labels: declared once, proved symbolically, trained for real."""

__version__ = "0.1.0"
