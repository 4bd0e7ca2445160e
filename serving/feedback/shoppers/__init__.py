"""What shoppers did of late, by their key: kept in memory, followed from the log of events."""
