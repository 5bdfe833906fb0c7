"""What the report says of scores: calibration of probabilities, and masks worth a look."""
