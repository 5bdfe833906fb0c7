"""Phantom patients."""
