"""Peer libraries on our data: the same training sessions, the same test cases, our metrics.

The libraries pin older numpy and pandas than this project, so each has its own environment and runs as its own process.
The two sides exchange plain ``.npy`` and ``.json`` files (see :mod:`benchmarks.peers.exchange`).
"""
