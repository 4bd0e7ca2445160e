"""Open-loop load generator for a running server: ``python -m serving.bench --url URL --bundle DIR --rate 1000``."""
