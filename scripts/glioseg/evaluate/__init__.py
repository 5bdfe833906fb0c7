"""Scores of segmentations, of one subject and of a cohort."""
