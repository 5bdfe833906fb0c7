"""Settings, options, failed jobs and code hashes, for the Snakefile and the commands. Nothing here loads NumPy."""
