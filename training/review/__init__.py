"""What a reviewer sees and decides by: a run's page and figures, the comparison with the champion, the gate."""
