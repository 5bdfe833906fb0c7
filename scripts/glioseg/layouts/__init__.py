"""How data sets lie on disk, and the subjects found in them."""
