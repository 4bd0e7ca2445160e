"""Writing a bundle (``write``): ONNX graphs, prefixes of real sessions to test them, search tier, parity gate, golden
requests, latency.
"""
