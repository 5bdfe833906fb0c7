"""Brain tumor segmentation: the library behind the workflow's commands. Imports nothing of Snakemake."""
