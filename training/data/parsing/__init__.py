"""Parsing of files: text tables, irregular rows, values, item files, and the canonical event table."""
