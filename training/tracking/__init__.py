"""MLflow: a run's tracker, its journal and the replay of it, how a run ends, the store, views, the model registry and
the flavour of its models; git state.
"""
