"""What a data set's relations said of validation questions: ``training.relate`` writes it beside them.

It stands apart from the relations themselves, which can be read without torch.
"""

from pathlib import Path
from typing import Final

from tillside.dataset import Dataset
from training.mining.stored import FOLDER
from training.model.observations import Observed, load_observations

OBSERVED: Final = "observed.npz"


def observations_of(dataset: Dataset, folder: Path | None = None) -> dict[str, Observed]:
    """What a data set's relations said of validation questions; nothing where it was not kept.

    Raises:
        ValueError: the file is damaged.
    """
    return load_observations((dataset.path / FOLDER if folder is None else folder) / OBSERVED)
