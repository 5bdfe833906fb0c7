"""What of a study goes into a publication: methods, references, checklist."""
