"""MLflow: a run's tracker with its journal, the store, views, the model registry; git state."""
