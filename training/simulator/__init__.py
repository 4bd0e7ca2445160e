"""Simulated electronics, household and beauty shop with known ground truth: shopper intents and item relations.

Read in this order: products (the table of kinds), goods (items made from it), true_relations (complements,
substitutes), demand (popularity and availability over time), shoppers, scenes, intents, session_plans, walk (the
sessions), event_log and truth_files.
"""
