"""A bundle as MLflow's python_function: ``mlflow.pyfunc.load_model("models:/my-shop@champion").predict(sessions)``.

MLflow imports this module because registered models name it as their loader; nothing here imports MLflow. Rows are
decoded and answered by the server's code, so what is reviewed is what will be served.
"""

import gc
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits


class SessionModel:
    """Answers rows with the fields of a ``POST /v1/recommend`` body."""

    def __init__(self, path: Path) -> None:
        self._limits = Limits()
        self._recommender = load_recommender(path, self._limits)
        gc.unfreeze()  # the process is its user's, not a server: what is frozen is never collected, at its exit neither

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Ranked item ids with scores and whether the session holds them, tier and purchase intent, for each session.

        Args:
            model_input: a pandas DataFrame or a list of records with ``session`` and optionally ``history``,
                ``behaviour``, ``k``, ``exclude`` and ``hide_seen``; None and NaN count as absent.

        Raises:
            ValueError: a row is not a valid request; the sentence names the field.
        """
        rows: Iterable[Mapping[str, Any]] = model_input
        if hasattr(model_input, "to_dict"):
            rows = model_input.to_dict("records")
        requests = [decode_request(_body(row), self._limits) for row in rows]
        answers = [outcome.answer for outcome in self._recommender.answer_many(requests)]
        return [
            {
                "items": [item.item_id for item in answer.items],
                "scores": [item.score for item in answer.items],
                "seen": [item.seen for item in answer.items],
                "tier": answer.tier,
                "purchase_intent": answer.purchase_intent,
            }
            for answer in answers
        ]


def _body(row: Mapping[str, Any]) -> bytes:
    given = {name: _plain(value) for name, value in row.items()}
    return json.dumps({name: value for name, value in given.items() if value is not None}).encode()


def _plain(value: Any) -> Any:
    """Undo what MLflow and pandas do to JSON: arrays to lists, NaN to None, 3.0 to 3."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value
    return value


def _load_pyfunc(path: str) -> SessionModel:
    """Entry point that MLflow calls with the model's folder, which is the bundle."""
    return SessionModel(Path(path))
