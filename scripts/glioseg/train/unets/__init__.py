"""U-Nets at full resolution, and what all U-Nets of this project are made of."""
