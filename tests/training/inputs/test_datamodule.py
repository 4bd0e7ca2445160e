"""Training rows and validation cases of a prepared data set."""

from pathlib import Path

from tests.logs import sequences_run
from tillside.encoding import EncodingSpec
from training.inputs.datamodule import SessionData
from training.prepare import prepare


def test_only_the_last_event_is_validated_when_one_is_left_out(tmp_path: Path) -> None:
    dataset = prepare(sequences_run(tmp_path, "u a b c d", "v b a c a b"))
    data = SessionData(dataset, spec=EncodingSpec(), batch_events=64, validation_cases=100, seed=0)
    ids = dataset.catalogue.item_ids
    assert [ids[item] for item in data.validation.targets_C] == ["c", "a"]
    assert data.validation.prefix_lengths_C.tolist() == [2, 3]
    # u trains on b after a; v on a after b and c after a
    assert data.rows.targets == 3
