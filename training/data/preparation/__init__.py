"""From a reader's table to a data set, in the order in which ``training.prepare`` calls them: engine, rejects,
sessionising, splits, selection, cataloguing.
"""
