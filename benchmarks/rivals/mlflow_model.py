"""The full-logits graph as an MLflow model from code, for ``mlflow models serve``; benchmarks.rivals saves it.

Shapes: B rows of a batch (one), N items, K items of an answer.
"""

from pathlib import Path
from typing import Any

import mlflow
from mlflow.pyfunc import PythonModel

from benchmarks.rivals.questions import Question, Shop
from benchmarks.rivals.session import LogitsSession, best
from tillside.bundle import open_bundle


class Recommender(PythonModel):
    """Answers a list of questions with a list of answers."""

    def load_context(self, context: Any) -> None:
        """Open the bundle and the graph that the model was saved with."""
        self.shop = Shop(open_bundle(Path(context.artifacts["bundle"])))
        self.session = LogitsSession(Path(context.artifacts["graph"]) / "model.onnx")

    def predict(self, context: Any, model_input: list[Question]) -> list[dict[str, Any]]:
        """The top k items for each question."""
        answers = []
        for question in model_input:
            scores_BN, intent_B = self.session.run(*self.shop.encode(question))
            items_K = best(scores_BN[0], question.k)
            answers.append(self.shop.answer(items_K, scores_BN[0, items_K], float(intent_B[0])).model_dump())
        return answers


mlflow.models.set_model(Recommender())
