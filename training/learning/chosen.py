"""What followed from the log instead of the config: derived settings, and how well the chosen blend does on validation.

Surprising: the blend is judged on the cases that it was chosen on, so its figures flatter it a little; they are for
comparing runs, and the test part says how good one is.

Shapes: B behaviours, C cases.
"""

from collections.abc import Sequence
from typing import Any, Final

from tillside.dataset import Dataset
from tillside.ranking import case_metrics
from tillside.recommenders.blend import SessionMemory
from training.evaluation.ranking import rank
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases
from training.inputs.datamodule import SessionData
from training.learning.lightning_module import NextItemModule
from training.settings.model import ModelConfig
from training.settings.trainer import Precision

DERIVED: Final = "derived"
"""First part of the names of derived parameters; the rest is the setting's own name where it is one."""
VALIDATED_AT: Final = 20
VALIDATED: Final = "val/blend"
"""First part of the names of the blend's metrics, at a list of VALIDATED_AT items; ``val/recall@20`` and ``val/mrr@20``
are of the model alone, after each epoch."""


def derived_settings(
    model: ModelConfig, data: SessionData, module: NextItemModule, *, epochs: int, precision: Precision
) -> dict[str, Any]:
    """Settings as they are before the first epoch, nested.

    Args:
        model: completed with what suits the log.
        epochs: at most.
        precision: fp32 or bf16.
    """
    return {
        DERIVED: {
            "model": {"dropout": model.dropout, "item_dropout": model.item_dropout},
            "loss": {"softmax": module.softmax.value, "recency": data.recency},
            "trainer": {"batch_events": data.batch_events, "max_epochs": epochs, "precision": precision.value},
            "validated_on_repeats": module.repeats,
        }
    }


def chosen_settings(memory: SessionMemory, trends_B: Sequence[float], dataset: Dataset) -> dict[str, Any]:
    """What validation chose, nested: the neighbourhood, and for each behaviour what past sessions weigh.

    Args:
        trends_B: trend weight of each behaviour [B], as single-precision numbers.
    """
    blend, near = memory.blend, memory.neighbours.settings
    weights: dict[str, Any] = {}
    for number, name in enumerate(dataset.behaviours.names):
        repeats = "/".join(f"{bonus:g}" for bonus in blend.repeats[number])
        weights[name] = {"weight": blend.weights[number], "repeats": repeats, "trend": round(trends_B[number], 6)}
        if blend.earlier:
            weights[name]["earlier"] = blend.earlier[number]
    if memory.likeness is not None:
        weights["likeness"], weights["likeness_of_new_items"] = blend.alike
    neighbours = {"item_decay": near.item_decay, "age_decay": near.age_decay, "reach": near.reach}
    return {DERIVED: {"neighbours": neighbours, "blend": {"floor": blend.floor, **weights}}}


def validated(scorer: Scorer, cases: Cases, *, items: int) -> dict[str, float]:
    """Mean recall, MRR and NDCG of the blend over validation cases, named as metrics; empty without cases.

    Args:
        scorer: the model with the blend, as it would be served.
        items: number of rankable items.
    """
    if not len(cases):
        return {}
    ranks_C = rank(scorer, cases, items=items, coverage=False).ranks_C
    return {
        f"{VALIDATED}/{name}": float(each_C.mean()) for name, each_C in case_metrics(ranks_C, (VALIDATED_AT,)).items()
    }
