# From arrays and folds to models, and to a label map on each scan's own grid.


rule train:
    input:
        # Not by time, but by what it says of this model's subjects: see the param `content`.
        cohort=get_fold_cohort,
        scans=ancient(get_fold_subjects),
    output:
        model=result("train/{model}/model.keras"),
        history=result("train/{model}/history.tsv"),
        settings=result("train/{model}/settings.json"),
    log:
        result("logs/train/{model}.log"),
    benchmark:
        result("benchmarks/train/{model}.tsv")
    conda:
        TENSORFLOW
    container:
        FULL
    threads: 8
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(1440),
    params:
        code=code("train"),
        banner=BANNER,
        content=get_fold_content,
        folder=result("train/{model}"),
        # Not an output: Snakemake deletes the outputs of a failed job, and the state is needed to continue.
        state=result("train/{model}/state.npz"),
        preprocess=result("preprocess"),
        classes=each("classes", CLASSES),
        options=options({name: value for name, value in config["train"].items() if name != "start"}),
        # A moved model to go on from trains nothing again; a changed one does.
        start=get_start,
        start_content=lambda wildcards: get_start_content(),
        fold=lambda wildcards: fold_of(wildcards.model),
        seed=lambda wildcards: seed_of(wildcards.model, config["seed"]),
        study=lambda wildcards: get_study(),
    shell:
        'python "$GLIOSEG/train.py"'
        " --fold {params.fold:q}"
        " --cohort {input.cohort:q}"
        " --preprocess {params.preprocess:q}"
        " {params.classes:q}"
        " {params.options:q}"
        " {params.start:q}"
        " --seed {params.seed}"
        " --threads {threads}"
        " --study {params.study:q}"
        " --code {params.code}"
        " --state {params.state:q}"
        " --output {params.folder:q}"
        " 2>&1 | sed --unbuffered {params.banner:q} | tee {log:q}"


rule train_all:
    input:
        get_all_models,


rule predict:
    input:
        scan=ancient(get_arrays),
        models=get_models,
    output:
        segmentation=result(f"{NETWORK_MAPS}/{{subject}}.nii.gz"),
        uncertainty=result(f"{NETWORK_FACTS}/{{subject}}.json"),
        maps=expand(result(f"{NETWORK_FACTS}/maps/{{{{subject}}}}/{{map}}.nii.gz"), map=config["predict"]["maps"]),
    log:
        result("logs/predict/{subject}.log"),
    benchmark:
        result("benchmarks/predict/{subject}.tsv")
    conda:
        TENSORFLOW
    container:
        FULL
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        code=code("predict"),
        content=get_content,
        models=lambda wildcards, input: each("model", input.models),
        labels=get_labels,
        options=options(
            PREDICT | (dict.fromkeys(SMALLEST, 0) if TUNED else {}) | ({TEMPERATURE: 1} if CALIBRATED else {})
        ),
        maps=result(f"{NETWORK_FACTS}/maps/{{subject}}"),
    shell:
        'python "$GLIOSEG/predict.py"'
        " --scan {input.scan:q}"
        " {params.models:q}"
        " --labels {params.labels:q}"
        " {params.options:q}"
        " --threads {threads}"
        " --map-folder {params.maps:q}"
        " --uncertainty {output.uncertainty:q}"
        " --output {output.segmentation:q}"
        " > {log:q} 2>&1"


if TUNED:

    rule tune_postprocess:
        input:
            cohort=ancient(result("split/cohort.tsv")),
            subjects=ancient(result("layouts/subjects.tsv")),
            segmentations=get_tuning_predictions,
            maps=get_tuning_maps,
        output:
            table=result("tune_postprocess/{fold}_tried.tsv"),
            volumes=result("tune_postprocess/{fold}.json"),
        log:
            result("logs/tune_postprocess/{fold}.log"),
        benchmark:
            result("benchmarks/tune_postprocess/{fold}.tsv")
        conda:
            "../envs/light.yaml"
        container:
            LIGHT
        resources:
            mem_mb=growing(1500),
            runtime=growing(60),
        params:
            code=code("tune_postprocess"),
            content=lambda wildcards: identity(tuning_subjects(cohort(), wildcards.fold), "fold", "content"),
            preprocess=result("preprocess"),
            predictions=result(NETWORK_MAPS),
            configured=[config["predict"][name] for name in SMALLEST],
            configured_regions=[config["predict"][name] for name in CUTS],
            configured_temperature=config["predict"][TEMPERATURE],
            maps=each("maps", [result(f"{NETWORK_FACTS}/maps")] if SEARCHED or CALIBRATED else []),
            failures=each("failures", LEDGERS),
            options=options(
                config["tune_postprocess"]
                | ({} if SEARCHED else {"region_thresholds": []})
                | ({} if CALIBRATED else {"temperatures": []})
            ),
        shell:
            'python "$GLIOSEG/tune_postprocess.py"'
            " --fold {wildcards.fold:q}"
            " --cohort {input.cohort:q}"
            " --subjects {input.subjects:q}"
            " --preprocess {params.preprocess:q}"
            " --predictions {params.predictions:q}"
            " --configured {params.configured}"
            " --configured-regions {params.configured_regions}"
            " --configured-temperature {params.configured_temperature}"
            " {params.maps:q}"
            " {params.failures:q}"
            " {params.options:q}"
            " --table {output.table:q}"
            " --output {output.volumes:q}"
            " > {log:q} 2>&1"

    rule postprocess:
        input:
            segmentation=result(f"{NETWORK_MAPS}/{{subject}}.nii.gz"),
            volumes=get_tuned_volumes,
            maps=get_region_maps,
            uncalibrated=get_uncalibrated,
        output:
            segmentation=result("predict/{subject}.nii.gz"),
            volumes=result("postprocess/{subject}.json"),
            uncertainty=[result("predict/{subject}.json")] if CALIBRATED else [],
            maps=expand(
                result("predict/maps/{{subject}}/{map}.nii.gz"), map=config["predict"]["maps"] if CALIBRATED else []
            ),
        log:
            result("logs/postprocess/{subject}.log"),
        benchmark:
            result("benchmarks/postprocess/{subject}.tsv")
        conda:
            "../envs/light.yaml"
        container:
            LIGHT
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            code=code("postprocess"),
            labels=get_labels,
            maps=lambda wildcards: each(
                "maps", [result(f"{NETWORK_FACTS}/maps/{wildcards.subject}")] if SEARCHED else []
            ),
            calibrated=get_calibration_options,
        shell:
            'python "$GLIOSEG/postprocess.py"'
            " --prediction {input.segmentation:q}"
            " --labels {params.labels:q}"
            " --volumes {input.volumes:q}"
            " {params.maps:q}"
            " {params.calibrated:q}"
            " --measured {output.volumes:q}"
            " --output {output.segmentation:q}"
            " > {log:q} 2>&1"


# Names and colors of the values in segmentations, for viewers of images.
rule label_tables:
    output:
        itk_snap=result("predict/{tables}.txt"),
        slicer=result("predict/{tables}.ctbl"),
    log:
        result("logs/label_tables/{tables}.log"),
    benchmark:
        result("benchmarks/label_tables/{tables}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("label_tables"),
        labels=lambda wildcards: LABEL_TABLES[wildcards.tables],
    shell:
        'python "$GLIOSEG/label_tables.py"'
        " --labels {params.labels:q}"
        " --itk-snap {output.itk_snap:q}"
        " --slicer {output.slicer:q}"
        " > {log:q} 2>&1"


rule predict_all:
    input:
        get_predictions,
        get_label_tables,
        get_bids,
        get_own_grids,
