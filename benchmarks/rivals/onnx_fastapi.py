"""onnxruntime behind FastAPI: one graph gives the scores of the whole catalogue, numpy takes the top k.

RIVAL_BUNDLE=DIR RIVAL_GRAPH=FILE uvicorn benchmarks.rivals.onnx_fastapi:app

Shapes: B rows of a batch (one), N items, K items of the answer.
"""

import os
from pathlib import Path

from fastapi import FastAPI

from benchmarks.rivals.questions import Answer, Question, Shop
from benchmarks.rivals.session import LogitsSession, best
from tillside.bundle import open_bundle

shop = Shop(open_bundle(Path(os.environ["RIVAL_BUNDLE"])))
session = LogitsSession(Path(os.environ["RIVAL_GRAPH"]))
app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Ready."""
    return {"status": "ready"}


@app.post("/v1/recommend")
def recommend(question: Question) -> Answer:
    """The best k items."""
    scores_BN, intent_B = session.run(*shop.encode(question))
    items_K = best(scores_BN[0], question.k)
    return shop.answer(items_K, scores_BN[0, items_K], float(intent_B[0]))
