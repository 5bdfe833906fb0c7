"""From a subject's files to the arrays that a network reads, and the checks of these files."""
