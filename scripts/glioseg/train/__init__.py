"""Train a network: patches, augmentation, networks, losses, and the training loop."""
