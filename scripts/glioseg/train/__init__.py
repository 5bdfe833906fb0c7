"""Training of a network: patches, augmentation, networks, losses, and the loop."""
