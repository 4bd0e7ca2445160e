"""Simulated electronics, household and beauty shop with known ground truth: shopper intents and item relations.

Read in this order: products (the table of kinds), goods (items made from it), relations (complements, substitutes),
demand (popularity and availability over time), shoppers, scenes, intents, plans, walk (the sessions), log and truth
(files).
"""
