"""Scripts that measure and print tables; their dated results lie in ``benchmarks/results``."""
