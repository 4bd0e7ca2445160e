"""From a data set's sessions to arrays for the model: batches, targets, cases to rank, shoppers' visits."""
