"""Sweeps with Optuna: search space, trials, and the parent run's page."""
