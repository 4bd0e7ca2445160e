"""What a policy knows of items: facts, the items feed, groups, shelves, and the cache of day rules."""
