"""A simulated electronics, household and beauty shop whose truth is known: who wanted what, and what goes with what.

Read in this order: products (the table of kinds), goods (items made from it), relations (what fits, what competes),
demand (when what is wanted and on sale), shoppers, scenes, intents, plans, walk (the sessions), log and truth (files).
"""
