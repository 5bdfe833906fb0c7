"""Training of the network that finds the brain in a whole head."""
