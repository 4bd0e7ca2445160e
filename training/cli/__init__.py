"""How commands read their settings and speak: Hydra to a dataclass, errors as one sentence, the console."""
