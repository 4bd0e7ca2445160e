"""What our process and a peer's hand each other, and what becomes of a peer's lists."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.__main__ import main
from benchmarks.peers.environments import python_of
from benchmarks.peers.exchange import (
    LIST_LENGTH,
    NO_ITEM,
    Rows,
    ranks_in_lists,
    read_account,
    read_lists,
    read_task,
    write_answer,
    write_task,
)
from benchmarks.peers.referee import judge, make_task
from tests.datasets import make_dataset
from tillside.dataset import Dataset
from tillside.encoding.spec import EncodingSpec
from tillside.ranking import MISSED
from training.evaluation.case_ranks import OTHERS_RANKS, Ranks, cases_digest
from training.evaluation.run import cases_to_judge

NEWCOMER = 5
"""Items 0 to 4 are trained, item 5 is not."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(
        tmp_path / "dataset",
        train=[[0, 1, 2], [3, NEWCOMER, 4], [NEWCOMER, 1], [0, 0]],
        validation=[[0, 1, 2], [NEWCOMER, 0]],
        test=[[1, 2, 3, 4], [NEWCOMER, 0], [3, NEWCOMER]],
        trained=5,
        newcomers=1,
    )


def rows(found: Rows) -> list[list[int]]:
    return [found[row].tolist() for row in range(len(found))]


def lists(*best: list[int]) -> np.ndarray:
    return np.array([row + [NO_ITEM] * (LIST_LENGTH - len(row)) for row in best])


def test_a_task_holds_known_items_only_and_prefixes_of_the_asked_length(dataset: Dataset) -> None:
    task = make_task(dataset, length=2, options={})
    assert rows(task.train) == [[0, 1, 2], [3, 4], [0, 0]], "the newcomer is left out, and a session with no next item"
    assert rows(task.validation) == [[0], [0, 1], []]
    assert task.targets_C.tolist() == [1, 2, 0]
    assert rows(task.test) == [[1], [1, 2], [2, 3], [], [3]]


def test_popularity_answers_an_empty_validation_prefix(dataset: Dataset) -> None:
    # Clicks of the last minute count most: 2 and 4, then 1 twice and 0 once in the minute before, then 3. The empty
    # prefix asks for item 0: rank 4.
    assert make_task(dataset, length=2, options={}).fallback_ranks_C.tolist() == [0, 0, 4]


def test_a_task_comes_back_as_it_was_written_and_names_no_test_target(tmp_path: Path, dataset: Dataset) -> None:
    task = make_task(dataset, length=50, options={"system": "replay-sasrec"})
    write_task(tmp_path / "exchange", task)
    found = read_task(tmp_path / "exchange")
    assert [rows(found.train), rows(found.validation), rows(found.test)] == [
        rows(task.train),
        rows(task.validation),
        rows(task.test),
    ]
    assert (found.items, found.options) == (5, {"system": "replay-sasrec"})
    assert found.targets_C.tolist() == task.targets_C.tolist()
    assert found.fallback_ranks_C.tolist() == task.fallback_ranks_C.tolist()
    assert not [path for path in (tmp_path / "exchange").iterdir() if "test_targets" in path.name]


def test_a_data_set_without_test_cases_is_refused(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "dataset", train=[[0, 1]], validation=[[0, 1]], trained=2)
    with pytest.raises(ValueError, match="has no test case; prepare a larger log"):
        make_task(dataset, length=50, options={})


def test_the_newest_rows_are_the_last_ones() -> None:
    found = Rows(np.array([7, 8, 9, 7, 8], np.int32), np.array([0, 2, 3, 5]))
    assert rows(found.newest(1 / 3)) == [[7, 8]]
    assert rows(found.newest(2 / 3)) == [[9], [7, 8]]
    assert rows(found.newest(0.01)) == [[7, 8]], "one at least"


def test_a_target_ranks_where_its_list_names_it() -> None:
    lists_CK = np.array([[4, 2, 0], [4, 2, 0], [1, NO_ITEM, NO_ITEM], [3, 1, NO_ITEM]])
    assert ranks_in_lists(lists_CK, np.array([4, 0, 3, 1])).tolist() == [1, 3, MISSED, 2]


def test_judged_like_a_run(dataset: Dataset, tmp_path: Path) -> None:
    """Five cases: second, first, missed, popularity's fourth for the empty prefix, and a newcomer nobody can name."""
    answers = lists([0, 2], [3], [0, 1, 2], [4], [0, 1])
    metrics = judge(dataset, answers, system="replay-sasrec", length=50, folder=tmp_path)
    values = {name: found["value"] for name, found in metrics["systems"]["replay-sasrec"]["all"].items() if "@" in name}
    # Targets 2, 3, 4, 0, 5: ranks 2, 1, missed, 4 (by popularity, not by the peer's list), missed.
    assert values["recall@20"] == pytest.approx(3 / 5)
    assert values["mrr@20"] == pytest.approx((1 / 2 + 1 + 1 / 4) / 5)
    assert values["ndcg@5"] == pytest.approx((1 / np.log2(3) + 1 + 1 / np.log2(5)) / 5)
    assert (metrics["cases"], metrics["sessions"], metrics["unseen_target_share"]) == (5, 3, 1 / 5)
    kept = Ranks.load(tmp_path / OTHERS_RANKS / "replay-sasrec.npz")
    assert kept.ranks_C.tolist() == [2, 1, MISSED, 4, MISSED]
    assert kept.digest == cases_digest(dataset, cases_to_judge(dataset, EncodingSpec(max_length=50)))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (lists([1], [2]), r"has the shape \(2, 20\), but there are 1 cases to answer"),
        (lists([5]), r"holds items outside 0 \.\. 4"),
        (lists([1, 2, 1]), "holds lists that name an item twice"),
    ],
)
def test_lists_that_cannot_be_are_refused(tmp_path: Path, answers: np.ndarray, message: str) -> None:
    write_answer(tmp_path, answers, {})
    with pytest.raises(ValueError, match=message):
        read_lists(tmp_path, cases=1, items=5)


def test_an_answer_comes_back(tmp_path: Path) -> None:
    write_answer(tmp_path, lists([4, 0]), {"targets": 3, "curve": [{"mrr@20": 0.5}]})
    assert read_lists(tmp_path, cases=1, items=5).tolist() == lists([4, 0]).tolist()
    assert read_account(tmp_path) == {"targets": 3, "curve": [{"mrr@20": 0.5}]}
    json.dumps(read_account(tmp_path))


def test_the_command_ends_with_that_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["replay-sasrec", "--dataset", "d", "--out", "o", "--budget-seconds", "9", "--environments", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["peers", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("replay-sasrec needs an environment of its own")


def test_a_missing_environment_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        python_of("rectools-ligr", tmp_path)
    assert str(caught.value).startswith(
        f"rectools-ligr needs an environment of its own and {tmp_path}/rectools/bin/python does not exist; "
        "make it with: make peers"
    )
    assert "\n" not in str(caught.value)
