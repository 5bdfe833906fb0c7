"""Bringing series of different grids into one common space, and label maps back to every series."""
