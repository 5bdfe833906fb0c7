"""What only speed explains. Each module says what it buys."""
