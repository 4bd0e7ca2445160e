"""Offline evaluation of whole placements on past sessions: questions with held-out answers, systems, metrics."""
