"""Code that exists only for speed. Each module says what it gains."""
