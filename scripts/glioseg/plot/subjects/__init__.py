"""The figures of one subject."""
