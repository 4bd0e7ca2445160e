"""Experiments on live shoppers, planned and read; and what a policy would have earned, from another one's log."""
