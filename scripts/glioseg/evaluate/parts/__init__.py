"""Scores of parts: of single tissue classes, and of groups of subjects."""
