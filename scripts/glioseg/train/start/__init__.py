"""Going on from a model: finding it, refusing one that saw held-out subjects, and taking over its weights."""
