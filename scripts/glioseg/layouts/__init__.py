"""The layouts of data sets on disk, and the subjects found in them."""
