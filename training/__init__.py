"""From raw shop logs to a bundle: prepare, train, evaluate, export."""

import os

from tillside.cores import share_cores

# Before anything imports these libraries: none of them may call home from a shop's machine.
for _switch in ("MLFLOW_DISABLE_TELEMETRY", "ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ.setdefault(_switch, "1")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # they open its tab for language models
share_cores()  # before torch: training beside another busy process would stand still
