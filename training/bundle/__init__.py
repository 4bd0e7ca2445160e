"""Writing a bundle: ONNX graphs, search tier, parity gate, golden requests, latency."""
