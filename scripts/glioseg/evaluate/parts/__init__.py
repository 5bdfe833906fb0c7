"""Scores of parts: of single tissue classes, of groups of subjects, and places where a mask is contradicted."""
