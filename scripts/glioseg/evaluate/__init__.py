"""Scores of segmentations, for one subject and for a cohort."""
