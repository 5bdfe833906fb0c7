# From scans and models to what the pages of the report load.


# Write the scan as a JavaScript file to where the viewer on the subject's page loads it from.
rule embed:
    input:
        scan=ancient(get_arrays),
        subjects=ancient(result("layouts/subjects.tsv")),
        prediction=result("predict/{subject}.nii.gz"),
        overlays=get_overlays,
    output:
        result("report/volumes/{subject}.js"),
    log:
        result("logs/embed/{subject}.log"),
    benchmark:
        result("benchmarks/embed/{subject}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1500),
        runtime=growing(5),
    params:
        code=code("embed"),
        content=get_content,
        labels=get_labels,
        overlays=lambda wildcards, input: each("overlay", input.overlays),
    shell:
        'python "$GLIOSEG/embed.py"'
        " --scan {input.scan:q}"
        " --subjects {input.subjects:q}"
        " --labels {params.labels:q}"
        " --prediction {input.prediction:q}"
        " {params.overlays:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


# Write the models into a page of the report that segments scans in the browser, with report: model.
rule embed_model:
    input:
        models=get_all_models,
        settings=get_settings,
        thresholds=get_own_thresholds,
        templates=get_segmenter_templates,
    output:
        result("report/segment.html"),
    log:
        result("logs/embed_model.log"),
    benchmark:
        result("benchmarks/embed_model.tsv")
    conda:
        TENSORFLOW
    container:
        FULL
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code("embed_model"),
        models=lambda wildcards, input: each("model", input.models),
        predict=json.dumps(PREDICT),
        title=options({"title": config["report"]["title"]}),
    shell:
        'python "$GLIOSEG/embed_model.py"'
        " {params.models:q}"
        " --predict {params.predict:q}"
        " {params.title:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"
