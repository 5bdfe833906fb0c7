"""Code that exists only for speed. Each module says what it gains, measured by benchmarks/fast.py or augment.py."""
