"""From a bundle to answers over HTTP: ``python -m serving --bundle DIR``. Never imports torch or training.

Surprising: ONNX Runtime's wheels send telemetry and keep a device id in the user's cache folder unless they are told
not to before they load. A shop's server calls nobody, so importing this package tells them. And the libraries under
numpy start a thread for every core of the host, whatever the container's share; workers use the cores here, no threads.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
