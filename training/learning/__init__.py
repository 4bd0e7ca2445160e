"""From arrays to a trained model: fit, choose on validation, refit; intent calibration, the blend, cold items."""
