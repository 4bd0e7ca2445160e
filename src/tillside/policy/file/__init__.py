"""The policy file: its terms, and the reader that checks them."""
