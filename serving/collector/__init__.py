"""The collector: takes a shop's events and keeps each one once."""
