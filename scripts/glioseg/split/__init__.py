"""The cohort table, its folds, and which model may predict which subject."""
