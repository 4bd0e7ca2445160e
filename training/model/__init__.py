"""The network in torch, with nothing of training or MLflow: encoder, item table, losses, optimizer, checkpoint."""
