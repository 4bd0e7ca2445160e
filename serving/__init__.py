"""HTTP server that answers recommendation requests from a bundle: ``python -m serving --bundle DIR``.

Never imports torch or training. Surprising: ONNX Runtime's wheels send telemetry and keep a device id in the user's
cache folder unless it is disabled before they are imported; a shop's server calls nobody, so importing this package
disables it. The BLAS and OpenMP libraries under numpy start one thread per host core, whatever the container's CPU
quota; here worker processes use the cores, so each gets one thread. Under ``python -m serving`` the working folder is
taken off the module path, as in ``training``, which this package must not know.
"""

import os
import sys

if sys.argv[:1] == ["-m"]:  # which it is only while Python looks for the module that it was told to run
    if sys.path[:1] == [os.getcwd()]:
        del sys.path[0]
    from tillside.cli.extras import require

    require("serve", asked="python -m serving")

from tillside.cores import share_cores

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
share_cores(1)
