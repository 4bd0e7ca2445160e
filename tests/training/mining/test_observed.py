"""What the relations said of validation questions is found beside them, and may be missing."""

from tests.datasets import make_dataset, random_rows
from training.mining.observed import OBSERVED, observations_of
from training.mining.stored import FOLDER
from training.model.observations import Observed, save_observations


def test_it_is_read_beside_the_relations_or_in_another_folder(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=random_rows(9, items=4, seed=1), trained=4)
    assert observations_of(dataset) == {}
    columns = {"events_R": [7], "items_R": [1], "sources_R": [0], "strengths_R": [0.5], "hits_R": [True]}
    rows = Observed.of(("complement",), columns)
    for folder in (dataset.path / FOLDER, tmp_path / "other"):
        folder.mkdir()
        save_observations(folder / OBSERVED, {"attach": rows})
    assert list(observations_of(dataset)) == list(observations_of(dataset, tmp_path / "other")) == ["attach"]
    assert observations_of(dataset)["attach"].events_R.tolist() == [7]
