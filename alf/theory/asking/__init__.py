"""Asking: worker processes that can be killed, and the questions turned round."""
