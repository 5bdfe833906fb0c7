# From tables, scans and label maps to figures.


rule plot:
    input:
        get_figure_inputs,
    output:
        png=report(
            result("plot/{figure}.png"),
            caption="captions/figure.rst",
            category="Cohort",
            labels={"figure": "{figure}"},
        ),
        svg=result("plot/{figure}.svg"),
        print_png=result("plot/print/{figure}.png"),
        print_pdf=result("plot/print/{figure}.pdf"),
    log:
        result("logs/plot/{figure}.log"),
    benchmark:
        result("benchmarks/plot/{figure}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("plot", f"glioseg/plot/{wildcards.figure}.py")(wildcards),
        cohort=get_figure_cohort,
        inputs=get_figure_options,
        caption=lambda wildcards: FIGURES[wildcards.figure].caption,
    shell:
        'python "$GLIOSEG/plot.py"'
        " --figure {wildcards.figure:q}"
        " {params.inputs:q}"
        " --output {output.png:q}"
        " > {log:q} 2>&1"


rule plot_subject:
    input:
        scan=ancient(get_arrays),
        subjects=ancient(result("layouts/subjects.tsv")),
        prediction=result("predict/{subject}.nii.gz"),
        scores=get_subject_scores,
    output:
        report(
            directory(result("plot/subjects/{subject}")),
            patterns=["{picture}.png"],
            caption="captions/subject.rst",
            category="Subjects",
            subcategory="{subject}",
            labels={"figure": "{picture}"},
        ),
    log:
        result("logs/plot_subject/{subject}.log"),
    benchmark:
        result("benchmarks/plot_subject/{subject}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1500),
        runtime=growing(5),
    params:
        code=code("plot_subject"),
        content=get_content,
        scores=lambda wildcards, input: each("scores", input.get("scores", [])),
        labels=get_labels,
    shell:
        'python "$GLIOSEG/plot_subject.py"'
        " --scan {input.scan:q}"
        " --subjects {input.subjects:q}"
        " --labels {params.labels:q}"
        " --prediction {input.prediction:q}"
        " {params.scores:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"
