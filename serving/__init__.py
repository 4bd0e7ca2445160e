"""From a bundle to answers over HTTP: ``python -m serving --bundle DIR``. Never imports torch or training.

Surprising: ONNX Runtime's wheels send telemetry and keep a device id in the user's cache folder unless they are told
not to before they load. A shop's server calls nobody, so importing this package tells them.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
