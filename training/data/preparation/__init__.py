"""Data set preparation from a reader's table, in the order that ``training.prepare`` calls it: engine, rejects,
sessionising, splits, selection, cataloguing.
"""
