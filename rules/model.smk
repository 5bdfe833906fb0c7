# From arrays and folds to models, and to a label map on each scan's own grid.


rule train:
    input:
        cohort=f"{RESULTS}/split/cohort.tsv",
        scans=get_fold_subjects,
    output:
        model=f"{RESULTS}/train/{{model}}/model.keras",
        history=f"{RESULTS}/train/{{model}}/history.csv",
        settings=f"{RESULTS}/train/{{model}}/settings.json",
    log:
        f"{RESULTS}/logs/train/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{model}}.tsv"
    conda:
        TENSORFLOW
    container:
        "containers/full.sif"
    threads: 8
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        code=code("train"),
        folder=f"{RESULTS}/train/{{model}}",
        # No output of the rule, for Snakemake removes the outputs of a job that failed, and this is what continues it.
        state=f"{RESULTS}/train/{{model}}/state.npz",
        preprocess=f"{RESULTS}/preprocess",
        classes=each("classes", CLASSES),
        options=options("train"),
        fold=lambda wildcards: fold_of(wildcards.model),
        seed=lambda wildcards: seed_of(wildcards.model, config["seed"]),
    shell:
        "python scripts/train.py"
        " --fold {params.fold}"
        " --cohort {input.cohort:q}"
        " --preprocess {params.preprocess:q}"
        " {params.classes:q}"
        " {params.options:q}"
        " --seed {params.seed}"
        " --threads {threads}"
        " --code {params.code}"
        " --state {params.state:q}"
        " --output {params.folder:q}"
        " 2>&1 | tee {log:q}"


rule fit:
    input:
        get_all_models,


rule predict:
    input:
        scan=f"{RESULTS}/preprocess/{{subject}}",
        models=get_models,
    output:
        f"{RESULTS}/predict/{{subject}}.nii.gz",
    log:
        f"{RESULTS}/logs/predict/{{subject}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict/{{subject}}.tsv"
    conda:
        TENSORFLOW
    container:
        "containers/full.sif"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        code=code("predict"),
        models=lambda wildcards, input: each("model", input.models),
        labels=get_labels,
        classes=each("classes", CLASSES),
        options=options("predict"),
    shell:
        "python scripts/predict.py"
        " --scan {input.scan:q}"
        " {params.models:q}"
        " {params.classes:q}"
        " --labels {params.labels:q}"
        " {params.options:q}"
        " --threads {threads}"
        " --output {output:q}"
        " > {log:q} 2>&1"


rule segment:
    input:
        get_predictions,
