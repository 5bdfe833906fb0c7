# From series on grids of their own to one space, and from there back to every series.


rule register:
    input:
        unpack(get_series),
    output:
        directory(result("register/{subject}")),
    log:
        result("logs/register/{subject}.log"),
    benchmark:
        result("benchmarks/register/{subject}.tsv")
    conda:
        TENSORFLOW if STRIPPED else "../envs/light.yaml"
    container:
        FULL if STRIPPED else LIGHT
    resources:
        mem_mb=growing(2500),
        runtime=growing(20),
    params:
        code=code("register"),
        state=get_state,
        brain=get_brain_state,
        series=get_series_options,
        options=options(config["register"]),
    shell:
        'python "$GLIOSEG/register.py"'
        " --subject {wildcards.subject:q}"
        " {params.series:q}"
        " {params.options:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


# Segmentations on the grids on which the series of a subject were before they were registered.
rule own_grids:
    input:
        segmentation=result("predict/{subject}.nii.gz"),
        registered=result("register/{subject}"),
        models=get_models,
    output:
        directory(result("own_grids/{subject}")),
    log:
        result("logs/own_grids/{subject}.log"),
    benchmark:
        result("benchmarks/own_grids/{subject}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        code=code("own_grids"),
        labels=get_labels,
        models=lambda wildcards, input: each("model", input.models),
        dicom=get_dicom_options,
    shell:
        'python "$GLIOSEG/own_grids.py"'
        " --prediction {input.segmentation:q}"
        " --registered {input.registered:q}/register.json"
        " --labels {params.labels:q}"
        " {params.models:q}"
        " {params.dicom:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"
