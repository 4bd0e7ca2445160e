"""A data set's relations on disk: ``training.relate`` writes them beside the data, ``training.export`` reads them."""

from pathlib import Path
from typing import Final

from tillside.dataset import Dataset
from tillside.relations import ABOUT, Relations

FOLDER: Final = "relations"


def relations_of(dataset: Dataset, folder: Path | None = None) -> Relations | None:
    """Load the relations mined from a data set; None where there are none.

    Args:
        folder: default: DATASET/relations, which need not exist.

    Raises:
        ValueError: the relations are damaged, or those of another data set.
    """
    place = dataset.path / FOLDER if folder is None else folder
    if folder is None and not (place / ABOUT).is_file():
        return None
    relations = Relations.load(place, items=len(dataset.catalogue))
    digest = relations.about.get("dataset", {}).get("digest")
    if digest != dataset.digest:
        raise ValueError(
            f"{place} was made from another data set ({str(digest)[:12]}, not {dataset.digest[:12]}); "
            "run python -m training.relate again"
        )
    return relations
