"""Processes: start and stop, the supervisor, its workers, and the channel between them."""
