"""The network in torch alone, without Lightning and MLflow: encoder, item table, losses, optimizer, checkpoint."""
