"""What the server answered, what came of it, and the files that keep both."""
