"""Mining item relations from a data set, in the order that ``training.relate`` calls them: counting, significance,
pairing, bundling; compatibility rules and manual pairs; the report.
"""
