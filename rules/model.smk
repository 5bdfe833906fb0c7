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
        study=lambda wildcards: get_study(),
    shell:
        "python scripts/train.py"
        " --fold {params.fold:q}"
        " --cohort {input.cohort:q}"
        " --preprocess {params.preprocess:q}"
        " {params.classes:q}"
        " {params.options:q}"
        " --seed {params.seed}"
        " --threads {threads}"
        " --study {params.study:q}"
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
        segmentation=f"{NETWORK_MAPS}/{{subject}}.nii.gz",
        certainty=f"{RESULTS}/predict/{{subject}}.json",
        maps=expand(f"{RESULTS}/predict/maps/{{{{subject}}}}/{{map}}.nii.gz", map=config["predict"]["maps"]),
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
        options=options("predict", dict.fromkeys(SMALLEST, 0) if SEARCHED else None),
        maps=f"{RESULTS}/predict/maps/{{subject}}",
    shell:
        "python scripts/predict.py"
        " --scan {input.scan:q}"
        " {params.models:q}"
        " --labels {params.labels:q}"
        " {params.options:q}"
        " --threads {threads}"
        " --map-folder {params.maps:q}"
        " --certainty {output.certainty:q}"
        " --output {output.segmentation:q}"
        " > {log:q} 2>&1"


if SEARCHED:

    rule postprocess:
        input:
            cohort=f"{RESULTS}/split/cohort.tsv",
            segmentations=get_searched,
        output:
            table=f"{RESULTS}/postprocess/{{fold}}.tsv",
            volumes=f"{RESULTS}/postprocess/{{fold}}.json",
        log:
            f"{RESULTS}/logs/postprocess/{{fold}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/postprocess/{{fold}}.tsv"
        conda:
            "../envs/light.yaml"
        container:
            "containers/light.sif"
        resources:
            mem_mb=lambda wildcards, attempt: 1500 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            code=code("postprocess"),
            preprocess=f"{RESULTS}/preprocess",
            predictions=NETWORK_MAPS,
            configured=[config["predict"][name] for name in SMALLEST],
            failures=each("failures", LEDGERS),
            options=options("postprocess"),
        shell:
            "python scripts/postprocess.py"
            " --fold {wildcards.fold:q}"
            " --cohort {input.cohort:q}"
            " --preprocess {params.preprocess:q}"
            " --predictions {params.predictions:q}"
            " --configured {params.configured}"
            " {params.failures:q}"
            " {params.options:q}"
            " --table {output.table:q}"
            " --output {output.volumes:q}"
            " > {log:q} 2>&1"

    rule finish:
        input:
            segmentation=f"{NETWORK_MAPS}/{{subject}}.nii.gz",
            volumes=get_volumes_searched,
        output:
            f"{RESULTS}/predict/{{subject}}.nii.gz",
        log:
            f"{RESULTS}/logs/finish/{{subject}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/finish/{{subject}}.tsv"
        conda:
            "../envs/light.yaml"
        container:
            "containers/light.sif"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            code=code("finish"),
            labels=get_labels,
        shell:
            "python scripts/finish.py"
            " --prediction {input.segmentation:q}"
            " --labels {params.labels:q}"
            " --volumes {input.volumes:q}"
            " --output {output:q}"
            " > {log:q} 2>&1"


rule segment:
    input:
        get_predictions,
