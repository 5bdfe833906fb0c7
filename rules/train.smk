# From arrays and folds to models.


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
        # Moved models to go on from train nothing again; changed ones do.
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
