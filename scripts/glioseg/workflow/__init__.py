"""What the Snakefile and the command line need: settings, code hashes, options, failures. Loads no NumPy."""
