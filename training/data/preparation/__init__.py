"""Data set preparation from a reader's table, in the order that ``training.prepare`` calls it: rejects, duplicates,
sessionising, splits, selection, cataloguing; all of it runs on ``training.data.engine``.
"""
