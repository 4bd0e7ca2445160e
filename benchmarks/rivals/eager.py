"""PyTorch behind FastAPI: the model in eager mode, scores of the whole catalogue, ``torch.topk``.

RIVAL_BUNDLE=DIR uvicorn benchmarks.rivals.eager:app

Shapes: B rows of a batch (one), L events, N items, D columns, K items of the answer.
"""

import os
from pathlib import Path

import torch
from fastapi import FastAPI

from benchmarks.bundles import data_of, untrained_model
from benchmarks.rivals.logits import FullLogits
from benchmarks.rivals.questions import Answer, Question, Shop
from tillside.bundle import open_bundle
from tillside.dataset import load_dataset

torch.set_num_threads(1)
place = Path(os.environ["RIVAL_BUNDLE"])
bundle = open_bundle(place)
shop = Shop(bundle)
model = FullLogits(untrained_model(load_dataset(data_of(place)), dim=bundle.items_ND.shape[1] - 1, seed=0).model).eval()
app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Ready."""
    return {"status": "ready"}


@app.post("/v1/recommend")
def recommend(question: Question) -> Answer:
    """The best k items."""
    batch, ask_B = shop.encode(question)
    rows = (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B, ask_B)
    arrays = (*rows, *batch.counted(model.encoder.behaviours))
    with torch.inference_mode():
        scores_BN, intent_B = model(*(torch.from_numpy(array) for array in arrays))
        scores_K, items_K = torch.topk(scores_BN[0], min(question.k, shop.items))
    return shop.answer(items_K.numpy(), scores_K.numpy(), float(intent_B[0]))
