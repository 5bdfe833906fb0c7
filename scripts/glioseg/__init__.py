"""Brain tumor segmentation: the library behind the workflow's commands. Imports nothing of Snakemake.

Rooms in the order in which a study runs; imports go down the list of the layers below only.

labels      label values, tissue classes, regions
files       JSON, tables and arrays on disk, whole or not at all
workflow    what the Snakefile and the command line need
volumes     3-D arrays with geometry
synthesize  phantom patients
layouts     how data sets lie on disk
preprocess  from a subject's files to arrays
split       the cohort, its folds, who predicts whom
train       from arrays to a network
predict     from networks to segmentations
evaluate    scores
plot        figures
report      the HTML report

Layers, from the top: report; plot; predict; layouts, preprocess, evaluate; synthesize, train, volumes, workflow, split;
files, labels.
"""
