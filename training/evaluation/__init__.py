"""How good a model is: scorers, ranking, metrics, baselines, intent, and placements as the server fills them."""
