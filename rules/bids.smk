# The segmentations as a data set of BIDS derivatives, if predict: layout is bids.


rule bids_subject:
    input:
        unpack(get_bids_images),
    output:
        expand(result("bids/{{place}}/anat/{{name}}_{ending}"), ending=BIDS_ENDINGS),
    log:
        result("logs/bids_subject/{place}/{name}.log"),
    benchmark:
        result("benchmarks/bids_subject/{place}/{name}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        code=code("bids_subject"),
        subject=get_bids_subject,
        probabilities=lambda wildcards, input: paired("probability", PROBABILITIES, input.get("probabilities", [])),
        labels=get_own_labels,
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        'python "$GLIOSEG/bids_subject.py"'
        " --subject {params.subject:q}"
        " --name {wildcards.name:q}"
        " --prediction {input.prediction:q}"
        " {params.probabilities:q}"
        " {params.labels:q}"
        " --output {params.folder:q}"
        " > {log:q} 2>&1"


rule bids:
    input:
        cohort=ancient(get_cohort_table),
    output:
        expand(result("bids/{file}"), file=BIDS_FILES),
    log:
        result("logs/bids.log"),
    benchmark:
        result("benchmarks/bids.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("bids"),
        subjects=lambda wildcards: identity(bids_subjects(), "patient"),
        failures=each("failures", LEDGERS),
        labels=each("labels", DIALECTS),
        sources=each("source", [] if PHANTOMS else [source["folder"] for source in sources(config)]),
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        'python "$GLIOSEG/bids.py"'
        " --cohort {input.cohort:q}"
        " {params.failures:q}"
        " {params.labels:q}"
        " {params.sources:q}"
        " --output {params.folder:q}"
        " > {log:q} 2>&1"
