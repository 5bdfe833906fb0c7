# From label maps to scores, tables, pictures and the page that shows them.


rule evaluate:
    input:
        prediction=f"{RESULTS}/predict/{{subject}}.nii.gz",
        truth=get_truth,
        probabilities=get_probabilities,
    output:
        f"{RESULTS}/evaluate/{{subject}}.json",
    log:
        f"{RESULTS}/logs/evaluate/{{subject}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/{{subject}}.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        code=code("evaluate"),
        volume=lambda wildcards: subject_of(wildcards).files[MASK].volume,
        labels=get_labels,
        forced=get_forced,
        probabilities=lambda wildcards, input: paired("probability", PROBABILITIES, input.get("probabilities", [])),
    shell:
        "python scripts/evaluate.py"
        " --subject {wildcards.subject:q}"
        " --prediction {input.prediction:q}"
        " --truth {input.truth:q} {params.volume}"
        " --labels {params.labels:q}"
        " --forced {params.forced}"
        " {params.probabilities:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


rule baseline:
    input:
        cohort=f"{RESULTS}/split/cohort.tsv",
        scans=get_learned_and_scored,
    output:
        f"{RESULTS}/baseline/scores.tsv",
    log:
        f"{RESULTS}/logs/baseline.log",
    benchmark:
        f"{RESULTS}/benchmarks/baseline.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code("baseline"),
        folder=f"{RESULTS}/preprocess",
        seed=config["seed"],
    shell:
        "python scripts/baseline.py"
        " --cohort {input.cohort:q}"
        " --preprocess {params.folder:q}"
        " --seed {params.seed}"
        " --output {output:q}"
        " > {log:q} 2>&1"


# A checkpoint, for it tells who is pictured in the report, and so whose scan its pages embed.
checkpoint summarize:
    input:
        scores=get_scores,
        certainties=get_certainties,
        baseline=f"{RESULTS}/baseline/scores.tsv",
        cohort=f"{RESULTS}/split/cohort.tsv",
    output:
        subjects=f"{RESULTS}/summarize/subjects.tsv",
        scores=f"{RESULTS}/summarize/scores.tsv",
        calibration=f"{RESULTS}/summarize/calibration.tsv",
        uncertainty=f"{RESULTS}/summarize/uncertainty.tsv",
    log:
        f"{RESULTS}/logs/summarize.log",
    benchmark:
        f"{RESULTS}/benchmarks/summarize.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("summarize"),
        folder=f"{RESULTS}/evaluate",
        predictions=f"{RESULTS}/predict",
        failures=each("failures", LEDGERS),
        options=options("summarize"),
        seed=config["seed"],
    shell:
        "python scripts/summarize.py"
        " --evaluate {params.folder:q}"
        " --predictions {params.predictions:q}"
        " --baseline {input.baseline:q}"
        " --cohort {input.cohort:q}"
        " {params.failures:q}"
        " {params.options:q}"
        " --seed {params.seed}"
        " --subjects {output.subjects:q}"
        " --scores {output.scores:q}"
        " --calibration {output.calibration:q}"
        " --uncertainty {output.uncertainty:q}"
        " > {log:q} 2>&1"


rule plot_subject:
    input:
        scan=f"{RESULTS}/preprocess/{{subject}}",
        prediction=f"{RESULTS}/predict/{{subject}}.nii.gz",
        scores=get_subject_scores,
    output:
        report(
            directory(f"{RESULTS}/plot/subjects/{{subject}}"),
            patterns=["{picture}.png"],
            caption="captions/subject.rst",
            category="Subjects",
            subcategory="{subject}",
            labels={"picture": "{picture}"},
        ),
    log:
        f"{RESULTS}/logs/plot_subject/{{subject}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_subject/{{subject}}.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        code=code("plot_subject"),
        scores=lambda wildcards, input: each("scores", input.get("scores", [])),
        labels=get_labels,
    shell:
        "python scripts/plot_subject.py"
        " --scan {input.scan:q}"
        " --labels {params.labels:q}"
        " --prediction {input.prediction:q}"
        " {params.scores:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


# The scan as a script, for the viewer on the subject's page: it lies where that page looks for it.
rule embed:
    input:
        scan=f"{RESULTS}/preprocess/{{subject}}",
        prediction=f"{RESULTS}/predict/{{subject}}.nii.gz",
        overlays=get_overlays,
    output:
        f"{RESULTS}/report/volumes/{{subject}}.js",
    log:
        f"{RESULTS}/logs/embed/{{subject}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed/{{subject}}.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        code=code("embed"),
        labels=get_labels,
        overlays=lambda wildcards, input: each("overlay", input.overlays),
    shell:
        "python scripts/embed.py"
        " --scan {input.scan:q}"
        " --labels {params.labels:q}"
        " --prediction {input.prediction:q}"
        " {params.overlays:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


rule plot:
    input:
        get_figure_data,
    output:
        png=report(
            f"{RESULTS}/plot/{{figure}}.png",
            caption="captions/figure.rst",
            category="Cohort",
            labels={"picture": "{figure}"},
        ),
        svg=f"{RESULTS}/plot/{{figure}}.svg",
    log:
        f"{RESULTS}/logs/plot/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot/{{figure}}.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("plot"),
        inputs=get_figure_options,
    shell:
        "python scripts/plot.py"
        " --figure {wildcards.figure:q}"
        " {params.inputs:q}"
        " --output {output.png:q}"
        " > {log:q} 2>&1"


rule report:
    input:
        cohort=f"{RESULTS}/split/cohort.tsv",
        subjects=f"{RESULTS}/summarize/subjects.tsv",
        scores=f"{RESULTS}/summarize/scores.tsv",
        uncertainty=f"{RESULTS}/summarize/uncertainty.tsv",
        searches=get_searches,
        scans=get_preprocessed,
        models=get_all_models,
        settings=get_settings,
        pictures=get_pictures,
        volumes=get_volumes,
        figures=expand(f"{RESULTS}/plot/{{figure}}.png", figure=FIGURES),
        templates=expand("scripts/glioseg/{name}", name=TEMPLATES),
    output:
        index=report(f"{RESULTS}/report/index.html", caption="captions/report.rst", category="Report"),
        pages=directory(f"{RESULTS}/report/subjects"),
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    conda:
        "../envs/light.yaml"
    container:
        "containers/light.sif"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        code=code("report"),
        plots=lambda wildcards, input: Path(input.figures[0]).parent,
        preprocess=f"{RESULTS}/preprocess",
        volumes=f"{RESULTS}/report/volumes",
        searches=lambda wildcards, input: each("search", input.searches),
        models=lambda wildcards, input: each("models", input.models),
        settings=lambda wildcards, input: each("settings", input.settings),
        config=json.dumps(config),
        benchmarks=f"{RESULTS}/benchmarks",
        failures=each("failures", LEDGERS),
        options=options("report"),
    shell:
        "python scripts/report.py"
        " --cohort {input.cohort:q}"
        " --subjects {input.subjects:q}"
        " --scores {input.scores:q}"
        " --uncertainty {input.uncertainty:q}"
        " {params.searches:q}"
        " --plots {params.plots:q}"
        " --preprocess {params.preprocess:q}"
        " --volumes {params.volumes:q}"
        " {params.models:q}"
        " {params.settings:q}"
        " --config {params.config:q}"
        " --benchmarks {params.benchmarks:q}"
        ' --commit "$(git describe --always --dirty 2>/dev/null || echo unknown)"'
        " {params.failures:q}"
        " {params.options:q}"
        " --pages {output.pages:q}"
        " --output {output.index:q}"
        " > {log:q} 2>&1"
