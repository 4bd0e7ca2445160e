"""Other libraries on our data: the same training sessions, the same questions, our metrics.

The libraries pin older numpy and pandas than this project, so each has an environment of its own and runs as a process
of its own. The two sides exchange plain ``.npy`` and ``.json`` files (see :mod:`benchmarks.peers.exchange`).
"""
