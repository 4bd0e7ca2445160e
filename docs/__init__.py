"""Pages of the documentation, and `docs.generate`, which makes some of them."""
