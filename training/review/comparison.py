"""A retrained model compared with its base model on the same test cases of the newer log.

The base model answers as it would be served today: it reads the sessions without the items that it does not know, and
ranks its own catalogue plus the cold items of which it has learned some attributes, as the server does with an items
feed. Other new items it cannot rank; they count as misses.

Shapes: C cases, A cold items ranked by attributes, N items of a catalogue, V items the base model
ranks, E (or D) width of a row as served, B behaviours (in ``best_BK`` chosen cases), K items of a list.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, Sessions
from tillside.ranking import Interval, top_k
from tillside.recommenders import Popularity, popularity
from training.cli.console import print_table, say
from training.evaluation.case_ranks import METRICS, RANKS_FILE, Ranks, ranks_beside
from training.evaluation.metrics import report
from training.evaluation.ranking import Ranked, rank
from training.evaluation.run import MODEL, cases_to_judge
from training.evaluation.sample_sessions import SHOWN, Shown, choose_examples, label
from training.evaluation.scorers import ModelScorer
from training.inputs.cases import make_cases
from training.learning.warm_start import BaseModel, Carried, first_end, moment
from training.review.champion import Champion
from training.review.description import beside_champion, champion_table
from training.review.markdown import difference, verdict
from training.tracking.tracker import Tracker

COMPARISON_FILE: Final = "comparison.json"


@dataclass(frozen=True)
class Beside:
    """Another model beside a run's, as the run's page shows it.

    Attributes:
        champion: the other model; None if the registry has none.
        gain: in recall@20, paired case by case; None without ranks of the same cases.
        lines: Markdown of the comparison.
    """

    champion: Champion | None = None
    gain: Interval | None = None
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Compared:
    """Result of a comparison.

    Attributes:
        document: contents of ``comparison.json``.
        champion: the base model with its metrics on these cases, for the run's page.
    """

    document: Mapping[str, Any]
    champion: Champion

    @property
    def gain(self) -> Interval:
        """Paired gain in recall@20 over all cases."""
        return Interval(**self.document["slices"]["all"]["recall@20"]["gain"])

    def sentence(self) -> str:
        """The verdict on recall@20 over all cases."""
        gain = self.gain
        return (
            f"Retrained from {self.document['parent']}: on the {self.document['cases']:,} newest cases recall@20 is "
            f"{verdict(gain.low, gain.high)} the {self.champion.role}'s, {difference(**asdict(gain))}."
        )

    def markdown(self) -> list[str]:
        """The verdict, the table of champion, challenger and difference, and the note."""
        return [self.sentence(), "", *champion_table(self.document["slices"], self.champion.role), self.note(), ""]

    def beside(self) -> Beside:
        """For the run's page."""
        return Beside(self.champion, self.gain, ["### Retrained", "", *self.markdown()])

    def show(self) -> None:
        """Print the table and the note."""
        columns = ["asked", "cases", "metric", self.champion.role, "challenger", "difference, paired 95 %"]
        title = f"{self.document['parent']} and the retrained model, sessions from {self.document['window_begins']}"
        rows = beside_champion(self.document["slices"])
        print_table(title, columns, rows, numbers=columns[1:2] + columns[3:])
        say(self.note())

    def note(self) -> str:
        """Which items were carried over, and which targets the champion could and could not rank, in words."""
        told, items, role = self.document, self.document["items"], self.champion.role
        return (
            f"{items['kept']:,} items went on from what the {role} had learned, {items['described']:,} began with "
            f"their attributes, {items['fresh']:,} at random; {items['gone']:,} are not trained any more. "
            f"Of the targets {told['targets_by_attributes']:.1%} are items that the {role} has not learned and ranks "
            f"by their attributes; {told['targets_missed']:.1%} it cannot rank at all, and they count as misses."
        )


def ask_base(base: BaseModel, dataset: Dataset) -> tuple[Ranked, dict[str, float], list[Shown]]:
    """Rank the test cases of another data set with the base model.

    Returns:
        Its ranks [C], the shares of targets it has not learned, and its top items in the sessions of
        :mod:`training.evaluation.sample_sessions`.
    """
    newcomers_A, rows_AE = base.newcomers(dataset.catalogue)
    ranked, index_of = base.catalogue.rankable, base.catalogue.index_of
    nobody = ranked + len(newcomers_A)
    places_N = np.array([index_of.get(name, ranked) for name in dataset.catalogue.item_ids], np.int64)
    places_N[places_N >= ranked] = nobody
    places_N[newcomers_A] = ranked + np.arange(len(newcomers_A))

    def mapped(sessions: Sessions) -> Sessions:
        return replace(sessions, items=places_N[np.asarray(sessions.items)].astype(np.int32))

    test, whole = mapped(dataset.part("test")), mapped(dataset.sessions) if base.spec.history else None
    goal, rule = dataset.goal, dataset.test_cases
    first = dataset.parts["test"][0]
    cases = make_cases(test, rule=rule, spec=base.spec, items=ranked, goal=goal, whole=whole, first=first)
    popular_BN = popularity(base.catalogue.popular_NB[:ranked])
    fallback = Popularity(np.pad(popular_BN, ((0, 0), (0, len(newcomers_A)))))
    own = ModelScorer.of(base.model, fallback, base.memory)
    scorer = replace(own, vectors_VD=torch.cat([own.vectors_VD, torch.from_numpy(rows_AE)]))
    found = rank(scorer, cases, items=nobody, coverage=False)
    unknown_C, missed_C = cases.targets_C >= ranked, cases.targets_C >= nobody
    shares = {
        "targets_by_attributes": float((unknown_C & ~missed_C).mean()),
        "targets_missed": float(missed_C.mean()),
    }
    some = cases.only(choose_examples(cases))
    best_BK = top_k(scorer.score(some.batch(np.arange(len(some))), some.asked_C), SHOWN)
    index_of = dataset.catalogue.index_of

    def named(place: int) -> str:
        """Label of an item index of the base model, as in the newer catalogue where that has the item."""
        item = newcomers_A[place - ranked] if place >= ranked else index_of.get(base.catalogue.item_ids[place])
        return label(base.catalogue, place) if item is None else label(dataset.catalogue, int(item))

    targets = some.targets_C.tolist()
    shown = [[(named(p), p == target) for p in row] for row, target in zip(best_BK.tolist(), targets, strict=True)]
    return found, shares, shown


def compare(
    base: BaseModel,
    dataset: Dataset,
    metrics: Mapping[str, Any],
    carried: Carried,
    *,
    folder: Path,
    seed: int,
    tracker: Tracker,
) -> Compared:
    """Rank the test cases with the base model too, and store the comparison with the new model's run.

    Args:
        metrics: of the new model on ``dataset``; its ranks are in ``folder``.
    """
    challenger = Ranks.load(folder / RANKS_FILE)
    found, shares, shown = ask_base(base, dataset)
    theirs = replace(challenger, ranks_C=found.ranks_C)
    theirs.save(folder / ranks_beside(base.run_id))
    slices = challenger.beside_champion(theirs, seed=seed)
    begins = first_end(dataset.part("test"))
    assert begins is not None
    document = {  # the base model is "parent" in these keys, for readers of older runs' files
        "parent": base.uri,
        "parent_run": base.run_id,
        "parent_learned_until": moment(base.learned_until),
        "window_begins": moment(begins),
        "test_digest": challenger.digest,
        "cases": len(challenger.ranks_C),
        **shares,
        "items": asdict(carried),
        "slices": slices,
    }
    write_text_atomically(folder / COMPARISON_FILE, json.dumps(document, indent=2) + "\n")
    tracker.artifact(folder / COMPARISON_FILE)
    tracker.artifact(folder / ranks_beside(base.run_id))
    flat = {}
    for metric in METRICS:
        part = slices["all"][metric]
        flat |= {f"retrain/{who}/{metric}": part[who] for who in ("champion", "challenger")}
        flat |= {f"retrain/gain/{metric}/{end}": part["gain"][end] for end in ("value", "low", "high")}
    tracker.metrics(flat)
    cases = cases_to_judge(dataset, base.spec)
    judged = report(
        {MODEL: found},
        cases,
        items=dataset.catalogue.rankable,
        behaviours=dataset.behaviours.names,
        seed=seed,
        counts_N=dataset.events_before_test(),
    )
    figures = {"systems": judged["systems"], "dataset": metrics["dataset"]}
    role = "champion" if base.champion else "parent"  # the word of older runs' tables and figures
    return Compared(document, Champion(base.name, base.version, base.run_id, figures, shown=shown, role=role))
