"""What came of the answers: exposures joined with events, and the effects that are read off the joined tables."""
