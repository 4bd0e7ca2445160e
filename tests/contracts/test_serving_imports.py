"""The serving room answers without a single module of the training room's world."""

import json
import subprocess
import sys

from tests.bundles import tiny_bundle

FORBIDDEN = {
    "training", "torch", "pytorch_lightning", "lightning", "hydra", "omegaconf", "mlflow", "onnx", "onnxscript",
    "ibis", "duckdb", "pandas", "pyarrow", "sklearn", "scipy", "matplotlib",
}  # fmt: skip
PROGRAM = """
import json, pathlib, sys
import serving.__main__, serving.http.server, serving.process.lifecycle, serving.process.supervisor
from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import encode_answer
recommender = load_recommender(pathlib.Path(sys.argv[1]), Limits())
request = decode_request(b'{"session": [{"item_id": "pear"}]}', Limits())
answer = json.loads(encode_answer(recommender.answer(request).answer))
print(json.dumps({"tier": answer["tier"], "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def test_an_answer_needs_no_training_module(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle")
    ended = subprocess.run([sys.executable, "-c", PROGRAM, str(bundle)], capture_output=True, text=True, check=True)
    report = json.loads(ended.stdout)
    assert report["tier"] == "model"
    assert not FORBIDDEN & set(report["modules"])
    assert {"onnxruntime", "starlette", "tillside"} <= set(report["modules"])
