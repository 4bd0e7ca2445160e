"""From a data set to relations, in the order in which ``training.relate`` calls them: counting, significance, pairing,
bundling; compatibility rules and pairs set by hand; the report.
"""
