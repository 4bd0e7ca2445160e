"""Requests to answers: indexing, batching, the model, the fallback tiers below it, and placements."""
