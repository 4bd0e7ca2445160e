"""The target's rank in every test case, kept with a run so that later models can be compared case by case.

``ranks.npz`` is compressed and holds no items: Diginetica's 60,858 cases take some 100 KB. The digest identifies the
cases by item ids, not indices, so runs over different catalogues are recognised as having the same test.

Shapes: C cases, M metrics.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Dataset
from tillside.ranking import MISSED, Interval, bootstrap_means, mrr_at, recall_at
from training.evaluation.ranking import Ranked
from training.inputs.cases import Cases

RANKS_FILE: Final = "ranks.npz"
OTHERS_RANKS: Final = "ranks"
"""Folder beside it, not sent to MLflow: one file for each other system evaluated on the same cases."""
RESAMPLES: Final = 2000
METRICS: Final = {"recall@20": recall_at, "mrr@20": mrr_at}


def ranks_beside(run_id: str) -> str:
    """Name of the artifact of another run that holds the ranks of ``run_id``'s model on that run's test cases."""
    return f"ranks-of-{run_id}.npz"


@dataclass(frozen=True)
class Ranks:
    """Ranks of one system on the test cases.

    Attributes:
        digest: of the cases, from :func:`cases_digest`.
        behaviours: names that ``asked_C`` indexes.
        ranks_C: rank of the target, 1 is best; MISSED where it cannot be ranked.
        sessions_C: session index of each case.
        asked_C: index of the behaviour asked for.
    """

    digest: str
    behaviours: tuple[str, ...]
    ranks_C: npt.NDArray[np.int64]
    sessions_C: npt.NDArray[np.int64]
    asked_C: npt.NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write ``path``; MISSED is stored as rank 0."""
        np.savez_compressed(
            path,
            digest=np.array(self.digest),
            behaviours=np.array(self.behaviours),
            ranks=np.where(self.ranks_C == MISSED, 0, self.ranks_C).astype(np.uint32),
            sessions=self.sessions_C.astype(np.uint32),
            asked=self.asked_C.astype(np.uint8),
        )

    @classmethod
    def load(cls, path: Path) -> "Ranks":
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: the file is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                ranks_C = held["ranks"].astype(np.int64)
                return cls(
                    str(held["digest"]),
                    tuple(held["behaviours"].tolist()),
                    np.where(ranks_C == 0, MISSED, ranks_C),
                    held["sessions"].astype(np.int64),
                    held["asked"].astype(np.int64),
                )
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path.name} cannot be read: {error}") from None

    def slices(self) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Yield name and mask [C] of all cases, then of each behaviour that occurs in ``asked_C``."""
        yield "all", np.ones(len(self.ranks_C), bool)
        for number, name in enumerate(self.behaviours):
            if (chosen := self.asked_C == number).any():
                yield name, chosen

    def ahead_of(
        self, other: "Ranks", chosen: npt.NDArray[np.bool_], *, seed: int, level: float = 0.95
    ) -> dict[str, Interval]:
        """Gain over ``other`` in each metric on the chosen cases, with a paired bootstrap interval over sessions."""
        assert self.digest == other.digest
        gained_MC = [metric(self.ranks_C, 20) - metric(other.ranks_C, 20) for metric in METRICS.values()]
        found = bootstrap_means(
            np.stack(gained_MC)[:, chosen],
            self.sessions_C[chosen],
            rng=np.random.default_rng(seed),
            resamples=RESAMPLES,
            level=level,
        )
        return dict(zip(METRICS, found, strict=True))

    def beside_champion(self, champion: "Ranks", *, seed: int) -> dict[str, Any]:
        """By slice: number of cases, and per metric the champion's mean, this system's, and the gain with interval."""
        told: dict[str, Any] = {}
        for name, chosen in self.slices():
            told[name] = {"cases": int(chosen.sum())}
            for metric, gain in self.ahead_of(champion, chosen, seed=seed).items():
                means = {
                    who: float(METRICS[metric](ranks.ranks_C[chosen], 20).mean())
                    for who, ranks in (("champion", champion), ("challenger", self))
                }
                told[name][metric] = {**means, "gain": asdict(gain)}
        return told


def keep_ranks(
    ranked: Mapping[str, Ranked],
    cases: Cases,
    *,
    digest: str,
    behaviours: tuple[str, ...],
    folder: Path,
    own: str | None = None,
) -> None:
    """Write the ranks of the system ``own`` to RANKS_FILE and those of every other to OTHERS_RANKS beside it."""
    (folder / OTHERS_RANKS).mkdir(exist_ok=True)
    for name, result in ranked.items():
        ranks = Ranks(digest, behaviours, result.ranks_C, cases.sessions_C, cases.asked_C)
        ranks.save(folder / RANKS_FILE if name == own else folder / OTHERS_RANKS / f"{name}.npz")


def cases_digest(dataset: Dataset, cases: Cases) -> str:
    """SHA-256 of the cases' questions and of all they may condition on: the sessions of the test part."""
    sessions, item_ids = dataset.part("test"), dataset.catalogue.item_ids
    digest = hashlib.sha256("\0".join(dataset.behaviours.names).encode())
    digest.update("\0".join(item_ids[item] for item in np.asarray(sessions.items).tolist()).encode())
    columns = (sessions.behaviours, sessions.times, np.diff(sessions.offsets), cases.events_C, cases.asked_C)
    for column in columns:
        digest.update(np.asarray(column).astype("<i8").tobytes())
    return digest.hexdigest()
