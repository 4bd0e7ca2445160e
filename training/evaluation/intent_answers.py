"""Purchase intent that the model answers at moments, without a list of items: one pass of the encoder's trunk, and
where no item is known what can be counted.

Shapes: M moments, B moments of a batch, L events, D width, V rows of the item matrix, F counts of a session,
K behaviours.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tillside.recommenders.counted_intent import count_features
from training.cli.progress import progress
from training.inputs.moments import Moments
from training.model.checkpoint import TrainedModel
from training.model.encoder import beta_calibrated
from training.model.next_item import NextItemModel

CHUNK = 1024


@dataclass(frozen=True)
class Read:
    """What purchase intent is told from at each moment, float32 on the CPU."""

    hidden_MD: torch.Tensor
    counted_MF: torch.Tensor


def read(model: NextItemModel, moments: Moments) -> Read:
    """The trunk's hidden state and the session's counts at each moment."""
    encoder = model.encoder
    by_length = np.argsort(moments.ends_M - moments.starts_M, kind="stable")
    with torch.no_grad():  # not in inference mode: a head is trained on it
        vectors_VD = model.items()[:, :-1]
        hidden_MD = torch.empty(len(moments), vectors_VD.shape[1])
        counted_MF = torch.empty(len(moments), count_features(encoder.behaviours))
        for start in progress(range(0, len(moments), CHUNK), "reading sessions for the purchase intent"):
            chosen = by_length[start : start + CHUNK]
            batch = moments.batch(chosen)
            counted = batch.counted(encoder.behaviours)
            items_BL, behaviours_BL, gaps_BL, lengths_B, counts_BK, latest_B = (
                torch.from_numpy(array).to(vectors_VD.device)
                for array in (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B, *counted)
            )
            hidden_BLD = encoder.trunk(vectors_VD[items_BL], behaviours_BL, gaps_BL)
            hidden_MD[chosen] = hidden_BLD[torch.arange(len(chosen)), lengths_B - 1].float().cpu()
            counted_MF[chosen] = encoder.counted(counts_BK, latest_B).cpu()
    return Read(hidden_MD, counted_MF)


def logits_by_hidden(model: NextItemModel, found: Read) -> npt.NDArray[np.float64]:
    """The intent head's part of the uncalibrated logits [M]."""
    device = next(model.encoder.intent.parameters()).device
    with torch.inference_mode():
        logits_M = model.encoder.intent_logits(found.hidden_MD.to(device)).double().cpu()
    return np.asarray(logits_M.numpy())


def logits_by_counts(model: NextItemModel, found: Read) -> npt.NDArray[np.float64]:
    """The counts' part of the uncalibrated logits [M]."""
    weights_F = model.encoder.get_buffer("intent_by_counts").double().cpu()
    return np.asarray((found.counted_MF.double() @ weights_F).numpy())


def told_intent(trained: TrainedModel, moments: Moments) -> npt.NDArray[np.float64]:
    """Purchase intent [M] as it is served; NaN where no item is known and the model is of a version that tells none
    there."""
    told_M, known_M = np.full(len(moments), np.nan), moments.known_M
    told_M[known_M] = intent_at(trained.model, moments.only(known_M))
    if trained.counted_intent is not None and not known_M.all():
        batch = moments.batch(np.flatnonzero(~known_M))
        told_M[~known_M] = trained.counted_intent.at(*batch.counted(trained.model.encoder.behaviours))
    return told_M


def intent_at(model: NextItemModel, moments: Moments) -> npt.NDArray[np.float64]:
    """Calibrated purchase intent [M], as the encoder answers it; an item is known at every moment."""
    return calibrated_intent(model, read(model, moments))


def calibrated_intent(model: NextItemModel, found: Read) -> npt.NDArray[np.float64]:
    """Calibrated purchase intent [M] from what was read."""
    logits_M = torch.from_numpy(logits_by_hidden(model, found) + logits_by_counts(model, found))
    calibration = model.encoder.get_buffer("intent_calibration").double().cpu()
    return np.asarray(beta_calibrated(logits_M, calibration).sigmoid().numpy())
