"""Phantom patients: synthetic MRI scans of brains with gliomas."""
