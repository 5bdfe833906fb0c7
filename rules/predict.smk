# From arrays and models to a label map on each scan's own grid.


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
