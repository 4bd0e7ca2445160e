"""Training rows and validation cases of a prepared data set."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets import make_dataset, make_sessions, random_rows
from tests.logs import sequences_run
from tillside.encoding.spec import EncodingSpec
from training.inputs import datamodule
from training.inputs.cases import make_cases
from training.inputs.datamodule import CaseLoader, SessionData
from training.stages.prepare import prepare


def test_only_the_last_event_is_validated_when_one_is_left_out(tmp_path: Path) -> None:
    dataset = prepare(sequences_run(tmp_path, "u a b c d", "v b a c a b"))
    data = SessionData(dataset, spec=EncodingSpec(), batch_events=64, validation_cases=100, seed=0)
    ids = dataset.catalogue.item_ids
    assert [ids[item] for item in data.validation.targets_C] == ["c", "a"]
    assert data.validation.prefix_lengths_C.tolist() == [2, 3]
    # u trains on b after a; v on a after b and c after a
    assert data.rows.targets == 3


SETTINGS = {"spec": EncodingSpec(), "batch_events": 64, "seed": 0}


def test_cases_come_shortest_first_and_each_to_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datamodule, "CHUNK", 8)
    sessions = make_sessions(random_rows(12, items=9))
    cases = make_cases(sessions, rule="every", spec=EncodingSpec(), items=9, goal=2)
    loaders = [CaseLoader(cases, rank=rank, world=3) for rank in range(3)]
    chosen = [np.concatenate(loader.chunks) for loader in loaders]
    assert sorted(np.concatenate(chosen).tolist()) == list(range(len(cases)))
    assert max(map(len, chosen)) - min(map(len, chosen)) <= 1
    for loader, mine in zip(loaders, chosen, strict=True):
        assert (np.diff(cases.prefix_lengths_C[mine]) >= 0).all()
        chunks = list(loader)
        assert [len(chunk.targets_B) for chunk in chunks[:-1]] == [8] * (len(loader) - 1)
        assert np.concatenate([chunk.targets_B for chunk in chunks]).tolist() == cases.targets_C[mine].tolist()
        assert np.concatenate([chunk.asked_B for chunk in chunks]).tolist() == cases.asked_C[mine].tolist()
        assert chunks[0].batch.lengths_B.tolist() == cases.prefix_lengths_C[mine[:8]].tolist()


def test_a_process_without_a_case_has_a_chunk_to_end_with() -> None:
    """Two cases and three processes: the third ranks none, but what follows the chunks all do together."""
    cases = make_cases(make_sessions([[0, 1, 2]]), rule="every", spec=EncodingSpec(), items=3, goal=2)
    sizes = [[len(chunk.targets_B) for chunk in CaseLoader(cases, rank=rank, world=3)] for rank in range(3)]
    assert sizes == [[1], [1], [0]]


def test_a_refit_learns_from_the_validation_part_too_and_is_still_ranked_on_it(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2]], validation=[[2, 1]], test=[[0, 1]], trained=3)
    plain, refit = (SessionData(dataset, validation_cases=9, refit=refit, **SETTINGS) for refit in (False, True))
    assert (plain.rows.targets, refit.rows.targets) == (2, 3)
    assert plain.validation.targets_C.tolist() == refit.validation.targets_C.tolist() == [1]


def test_a_resumed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2]] * 40, validation=[[2, 1]], test=[[0, 1]], trained=3)
    data = SessionData(dataset, validation_cases=9, **SETTINGS)
    whole = data.train_dataloader()
    assert (whole.epoch, whole.skip, len(list(whole))) == (0, 0, len(whole))
    data.resume_at = (1, len(whole) - 1)
    rest = list(data.train_dataloader())
    assert len(rest) == 1
    assert rest[0].items_BL.tolist() == list(whole)[-1].items_BL.tolist()  # the second epoch's last batch


def test_nothing_to_learn_or_to_validate_is_said(tmp_path: Path) -> None:
    lonely = make_dataset(tmp_path / "a", train=[[0], [1]], validation=[[0, 1]], test=[[0, 1]], trained=2)
    with pytest.raises(ValueError, match="no training session holds two known items"):
        SessionData(lonely, validation_cases=9, **SETTINGS)
    blind = make_dataset(tmp_path / "b", train=[[0, 1]], test=[[0, 1]], trained=2)
    with pytest.raises(ValueError, match="the validation part has no cases"):
        SessionData(blind, validation_cases=9, **SETTINGS)
