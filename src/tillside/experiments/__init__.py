"""Experiments on live shoppers: their file, and who is in which arm."""
