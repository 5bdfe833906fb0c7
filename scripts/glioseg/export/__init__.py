"""Writing a bundle: finished models, with all that is needed to use them."""
