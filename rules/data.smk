# From scans, or synthetic patients, to arrays and folds.


rule synthesize:
    output:
        expand(
            result("synthesize/{{subject}}/{{subject}}_{part}.nii.gz"),
            part=["flair", "t1", "t1ce", "t2", MASK],
        ),
        result("synthesize/{subject}/{subject}_tissues.npy") if RANDOM_CONTRAST else [],
    log:
        result("logs/synthesize/{subject}.log"),
    benchmark:
        result("benchmarks/synthesize/{subject}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        code=code("synthesize"),
        folder=result("synthesize/{subject}"),
        kinds=config["synthesize"]["kinds"],
        tissues=RANDOM_CONTRAST,
        seed=config["seed"],
    shell:
        'python "$GLIOSEG/synthesize.py"'
        " --subject {wildcards.subject:q}"
        " --seed {params.seed}"
        " --kinds {params.kinds:q}"
        " --tissues {params.tissues:q}"
        " --output-dir {params.folder:q}"
        " > {log:q} 2>&1"


rule preprocess:
    input:
        unpack(get_scan),
    output:
        directory(result("preprocess/{subject}")),
    log:
        result("logs/preprocess/{subject}.log"),
    benchmark:
        result("benchmarks/preprocess/{subject}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        code=code("preprocess"),
        state=get_state,
        scan=get_scan_options,
        modalities=each("modalities", config["modalities"]),
        labels=get_labels,
        forced=get_forced,
        options=options(config["preprocess"]),
        memory=TUNABLES,
    shell:
        "GLIBC_TUNABLES={params.memory}"
        ' python "$GLIOSEG/preprocess.py"'
        " --subject {wildcards.subject:q}"
        " {params.scan:q}"
        " {params.modalities:q}"
        " --labels {params.labels:q}"
        " --forced {params.forced}"
        " {params.options:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


rule layouts:
    output:
        subjects=result("layouts/subjects.tsv"),
        notes=result("layouts/notes.tsv"),
    log:
        result("logs/layouts.log"),
    benchmark:
        result("benchmarks/layouts.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("layouts"),
        # A function, since every job of a cluster parses this file.
        found=lambda wildcards: found_subjects(),
        sources=(
            ["--phantoms", *PHANTOMS]
            if PHANTOMS
            else each("source", [json.dumps(source) for source in sources(config)])
        ),
        modalities=each("modalities", config["modalities"]),
        registered=["--registered", result("register")] if REGISTERED else [],
    shell:
        'python "$GLIOSEG/layouts.py"'
        " {params.sources:q}"
        " {params.registered:q}"
        " {params.modalities:q}"
        " --notes {output.notes:q}"
        " --output {output.subjects:q}"
        " 2>&1 | tee {log:q}"


checkpoint split:
    input:
        subjects=result("layouts/subjects.tsv"),
        scans=get_preprocessed,
        folds=config["split"]["file"] or [],
        models=GIVEN,
    output:
        cohort=result("split/cohort.tsv"),
    log:
        result("logs/split.log"),
    benchmark:
        result("benchmarks/split.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("split"),
        folder=result("preprocess"),
        exclude=each("exclude", config["exclude"]),
        models=each("model", GIVEN),
        failed=each("failed", sorted(failed_subjects(FAILURES, *PREPARING))),
        options=options(config["split"]),
        seed=config["seed"],
    shell:
        'python "$GLIOSEG/split.py"'
        " --subjects {input.subjects:q}"
        " --preprocess {params.folder:q}"
        " {params.exclude:q}"
        " {params.failed:q}"
        " {params.models:q}"
        " {params.options:q}"
        " --seed {params.seed}"
        " --output {output.cohort:q}"
        " 2>&1 | tee {log:q}"


rule prepare:
    input:
        rules.split.output,


# Delete intermediate files that can be recreated. Finished results stay up to date without them.
rule clean_intermediate:
    log:
        result("logs/clean_intermediate.log"),
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        folders=[result("preprocess"), result("synthesize")],
    shell:
        "rm -rf {params.folders:q} > {log:q} 2>&1"
