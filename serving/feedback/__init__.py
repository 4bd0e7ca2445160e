"""The log of what the server answered."""
