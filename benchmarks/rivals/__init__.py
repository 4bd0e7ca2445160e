"""The same model served without tillside's server: the baselines of the serving benchmark.

All three encode sessions with tillside.encoding, score the whole catalogue for each request and answer the top k, as
their libraries' own documentation shows it: FastAPI with pydantic models and a plain ``def`` endpoint, one
intra-op thread where a thread is shared, MLflow with a model from code and type hints.
"""
