"""Items that training has never seen: a tenth of the items is held out and must be ranked by its attributes.

    python -m benchmarks.cold beauty simulated --data ../shared/data

Cases are those whose target is new. They are ranked twice: among all items, and among the new items alone. Beside the
model stand two rules that know attributes. Popularity of attributes: an item is as popular as its tokens are on
average, and a token as the trained items that carry it. Nearest attributes: the cosine of an item's tokens, weighted by
how rare they are, to those of the session's items, of which later ones count more.
"""

# Shapes: N rankable items, M trained ones, T attribute tokens, C cases, L events; B behaviours in counts and
# popularities, rows of a batch elsewhere.

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.logs import LOGS
from benchmarks.results import write_results
from benchmarks.stages import run_stage
from tillside.catalogue import Catalogue
from tillside.dataset import Dataset, load_dataset
from tillside.encoding.batch import Batch
from tillside.ranking import bootstrap_means, case_metrics
from tillside.recommenders import Popularity, popularity
from training.cli.console import print_table, say
from training.evaluation.ranking import rank
from training.evaluation.run import MODEL, cases_to_judge
from training.evaluation.scorers import Among, ModelScorer, Scorer, popularity_of
from training.inputs.cases import Cases
from training.model.checkpoint import MODEL_FILE, load_model

HELD_OUT = 0.1
METRICS = ("recall@5", "recall@20", "mrr@20", "ndcg@20")
DECAYS = (0.5, 0.8, 1.0)
"""Weight factors of nearest attributes per event further back; the table has the best one on the cases themselves."""


def main() -> None:
    """Measure each log and write its result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", choices=sorted(LOGS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the logs")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for data sets and runs")
    parser.add_argument("--train", nargs="*", default=[], metavar="OVERRIDE", help="settings of training.train")
    given = parser.parse_args()
    for name in given.logs:
        measure(name, data=given.data, work=given.work / f"cold-{name}", overrides=given.train)


def measure(name: str, *, data: Path, work: Path, overrides: list[str]) -> None:
    """Prepare and train on one log, print its table and write its result files."""
    log = LOGS[name]
    if log.simulate is not None:
        run_stage("training.simulate", *(part.format(work=work) for part in log.simulate))
    settings = [part.format(data=data, work=work) for part in log.prepare]
    run_stage("training.prepare", *settings, f"holdout_items={HELD_OUT}", f"out={work}/dataset")
    options = [f"dataset={work}/dataset", f"tracking.runs={work}/runs", "trainer.progress_bar=false", "export=false"]
    run_stage("training.train", *options, *overrides)
    dataset = load_dataset(work / "dataset")
    rows, notes = judge(name, dataset, work / "runs/latest" / MODEL_FILE)
    title = f"{log.title}: a tenth of the items held out"
    write_results(f"cold-{name}", rows, title=title, notes=f"{log.cases} {notes}")
    cells = {(row["system"], row["metric"]): f"{row['value']:.4f}" for row in rows}
    columns = list(dict.fromkeys(row["metric"] for row in rows))
    table = [[s, *(cells[s, metric] for metric in columns)] for s in dict.fromkeys(row["system"] for row in rows)]
    print_table(title, ["system", *columns], table, numbers=columns)
    say(notes)


def judge(name: str, dataset: Dataset, model: Path) -> tuple[list[dict[str, Any]], str]:
    """Rows of every system on the cases with a new target, and notes on these cases."""
    catalogue, trained = dataset.catalogue, load_model(model, dataset)
    items = catalogue.rankable
    new_N = dataset.new_items()
    cases = cases_to_judge(dataset, trained.spec)
    chosen = new_N[cases.targets_C] & (cases.targets_C < items)
    lost = int((new_N[cases.targets_C] & (cases.targets_C >= items)).sum())
    cases = cases.only(chosen)
    by_tokens = attribute_popularity(catalogue)
    fallback = popularity_of(dataset, refit=trained.refitted)
    systems: dict[str, list[Scorer]] = {
        MODEL: [ModelScorer.of(trained.model, fallback, trained.memory)],
        "attribute-knn": [NearestAttributes.of(catalogue, decay=decay) for decay in DECAYS],
        "attribute-popularity": [Popularity(by_tokens)],
    }
    rows = []
    for prefix, judged in (("", lambda scorer: scorer), ("new/", lambda scorer: Among(scorer, new_N[:items]))):
        for system, scorers in systems.items():
            rows += best_of(scorers, cases, judged, items=items, about={"log": name, "system": system}, prefix=prefix)
    notes = (
        f"{len(cases):,} cases whose target has no event before the test part; {int(new_N[:items].sum()):,} of the "
        f"{items:,} items that are ranked are new. {lost:,} further cases have a target without any known attribute, "
        "which nothing can rank; they are left out here. new/: ranked among the new items alone. Ties against us. "
        "Intervals: 95 %, bootstrap over sessions (seed 0)."
    )
    return rows, notes


def best_of(
    scorers: list[Scorer],
    cases: Cases,
    judged: Callable[[Scorer], Scorer],
    *,
    items: int,
    about: dict[str, str],
    prefix: str,
) -> list[dict[str, Any]]:
    """Rows of the variant of a system with the highest mrr@20."""
    measured = [case_metrics(rank(judged(scorer), cases, items=items, coverage=False).ranks_C) for scorer in scorers]
    best = max(measured, key=lambda metrics: float(metrics["mrr@20"].mean()))
    values = np.stack([best[metric] for metric in METRICS])
    intervals = bootstrap_means(values, cases.sessions_C, rng=np.random.default_rng(0))
    return [
        about | {"metric": prefix + metric, "value": i.value, "low": i.low, "high": i.high, "cases": len(cases)}
        for metric, i in zip(METRICS, intervals, strict=True)
    ]


def token_matrix(catalogue: Catalogue) -> npt.NDArray[np.float32]:
    """Token incidence, float32 [N, T]: 1 where a rankable item carries the token."""
    items, offsets = catalogue.rankable, catalogue.token_offsets
    assert offsets is not None
    carried_NT = np.zeros((items, len(catalogue.vocabulary)), np.float32)
    carried_NT[np.repeat(np.arange(items), np.diff(offsets[: items + 1])), catalogue.token_ids[: offsets[items]]] = 1
    return carried_NT


def attribute_popularity(catalogue: Catalogue) -> npt.NDArray[np.float32]:
    """Scores [B, N], B behaviours: mean over an item's tokens of the events per trained item that carries the token."""
    carried_NT = token_matrix(catalogue)
    trained_MT = carried_NT[: catalogue.trained]
    events_BM = popularity(catalogue.counts_NB[: catalogue.trained])
    per_item_BT = events_BM @ trained_MT / np.maximum(trained_MT.sum(axis=0), 1)
    scores_BN: npt.NDArray[np.float32] = per_item_BT @ carried_NT.T / np.maximum(carried_NT.sum(axis=1), 1)
    return scores_BN


@dataclass(frozen=True)
class NearestAttributes:
    """Scores items by the cosine of their idf-weighted tokens to those of the session's items."""

    unit_NT: npt.NDArray[np.float32]
    decay: float

    @classmethod
    def of(cls, catalogue: Catalogue, *, decay: float) -> "NearestAttributes":
        """Unit rows of tokens, weighted by idf: ``log(N / items with the token)``."""
        carried_NT = token_matrix(catalogue)
        weighted_NT = carried_NT * np.log(len(carried_NT) / np.maximum(carried_NT.sum(axis=0), 1))
        norms_N1 = np.linalg.norm(weighted_NT, axis=1, keepdims=True)
        return cls((weighted_NT / np.maximum(norms_N1, 1e-9)).astype(np.float32), decay)

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, N], whatever behaviour is asked for."""
        back_BL = batch.lengths_B[:, None] - 1 - np.arange(batch.items_BL.shape[1])
        weights_BL = np.where(back_BL >= 0, self.decay ** np.maximum(back_BL, 0), 0.0).astype(np.float32)
        session_BT = np.stack([w @ self.unit_NT[row] for w, row in zip(weights_BL, batch.items_BL, strict=True)])
        scores_BN: npt.NDArray[np.float32] = session_BT @ self.unit_NT.T
        return scores_BN


if __name__ == "__main__":
    main()
