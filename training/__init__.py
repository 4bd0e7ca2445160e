"""From raw shop logs to a bundle: prepare, train, evaluate, export."""
