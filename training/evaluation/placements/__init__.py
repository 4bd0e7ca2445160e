"""Whole placements judged on past sessions: what is asked and what was bought then, who answers, what that is worth."""
