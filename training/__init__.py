"""From raw shop logs to a bundle: prepare, train, evaluate, export.

Surprising: under ``python -m training.NAME`` this file takes the working folder off the module path, where Python puts
it first: a user's own ``tillside/`` or ``torch.py`` there is not what the command needs. A ``training/`` of their own
comes before this one; there the command is ``tillside NAME``.
"""

import os
import sys

if sys.argv[:1] == ["-m"]:  # which it is only while Python looks for the module that it was told to run
    if sys.path[:1] == [os.getcwd()]:
        del sys.path[0]
    from tillside.cli.extras import require

    require("train", asked="python -m training")

from tillside.cores import share_cores

# Before anything imports these libraries: none of them may call home from a shop's machine.
for _switch in ("MLFLOW_DISABLE_TELEMETRY", "ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ.setdefault(_switch, "1")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # they open its tab for language models
share_cores()  # before torch: training beside another busy process would stand still
