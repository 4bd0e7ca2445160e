"""Where runs are recorded: the keys ``tracking``."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from tillside.cli.secrets import without_secrets
from training.cli.command_lines import override


@dataclass
class TrackingConfig:
    """Where runs are recorded."""

    uri: str | None = None
    """Any MLflow tracking URI; default: MLFLOW_TRACKING_URI, or else ``mlflow.db`` in ``runs``."""
    experiment: str = "tillside"
    """MLflow experiment that runs belong to."""
    run_name: str | None = None
    """What MLflow's list calls the run. null: data set, model, date. A resumed run keeps its name."""
    runs: str = "runs"
    """Folder of checkpoints and of the default store."""
    register: bool = True
    """Register exported bundles as versions of ``model``."""
    model: str | None = None
    """Name in the registry; its version with the alias ``champion`` is compared with on a run's page. null: the name
    that the data set was given, else its folder's; for training.promote the model that has the run or the version."""
    system_metrics: bool = False
    """Log CPU, memory and disk load every ten seconds, until the server is unreachable; needs psutil, and is of little
    use for short runs."""

    def named_store(self) -> str | None:
        """URI of the store that these settings or the environment name; None: it is the file in ``runs``."""
        return self.uri or os.environ.get("MLFLOW_TRACKING_URI") or None

    def anew(self, stored: str | None) -> str | None:
        """The address for a run that was recorded at ``stored``, of which no user info was kept: these settings' own,
        else that of the environment if it is the same place, else the stored one."""
        named = os.environ.get("MLFLOW_TRACKING_URI")
        return self.uri or (named if named and without_secrets(named) == stored else stored)

    def own_store(self) -> Path:
        """File of the default store."""
        return Path(self.runs).absolute() / "mlflow.db"

    def typed(self, *names: str) -> str:
        """The named settings that differ from the default, shell-quoted overrides with a leading space each."""
        given = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(TrackingConfig, name)}
        return "".join(
            " " + shlex.quote(override(f"tracking.{name}", without_secrets(value))) for name, value in given.items()
        )


def not_recorded(uri: str) -> str:
    """The sentence about a store that does not exist."""
    return f"no runs are recorded at {uri}; set tracking.runs or tracking.uri to where they are"
