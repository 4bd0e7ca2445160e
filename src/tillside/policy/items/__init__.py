"""What a policy knows of items: facts, the items feed, groups, shelves, and the cache of rule columns and
day rules.
"""
