"""What each command does, step by step; ``run`` is what it calls once its settings are known to be right."""
