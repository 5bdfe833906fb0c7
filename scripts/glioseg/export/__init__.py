"""What leaves a study: bundles of finished models, with all that is needed to use them, and BIDS derivatives."""
