"""The same model served as one would without tillside's server: what a load on ours is held against.

All three encode sessions with tillside.encoding, hold the whole catalogue's scores for each request and answer the best
k, as their libraries' own documentation shows it: FastAPI with pydantic models and a plain ``def`` endpoint, one
intra-op thread where a thread is shared, MLflow with a model from code and type hints.
"""
