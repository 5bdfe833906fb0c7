# From label maps to scores, tables, figures and the report.


rule evaluate:
    input:
        prediction=result("predict/{subject}.nii.gz"),
        truth=get_truth,
        probabilities=get_probabilities,
        uncalibrated=get_regions_before,
    output:
        result("evaluate/{subject}.json"),
    log:
        result("logs/evaluate/{subject}.log"),
    benchmark:
        result("benchmarks/evaluate/{subject}.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1500),
        runtime=growing(5),
    params:
        code=code("evaluate"),
        state=lambda wildcards: get_state(wildcards, MASK),
        truth=get_truth_option,
        labels=get_labels,
        forced=get_forced,
        probabilities=lambda wildcards, input: paired("probability", PROBABILITIES, input.get("probabilities", [])),
        uncalibrated=lambda wildcards, input: paired(
            "uncalibrated", PROBABILITIES if CALIBRATED else [], input.get("uncalibrated", [])
        ),
    shell:
        'python "$GLIOSEG/evaluate.py"'
        " --subject {wildcards.subject:q}"
        " --prediction {input.prediction:q}"
        " {params.truth:q}"
        " --labels {params.labels:q}"
        " --forced {params.forced}"
        " {params.probabilities:q}"
        " {params.uncalibrated:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"


rule baseline:
    input:
        cohort=ancient(result("split/cohort.tsv")),
        scans=ancient(get_learned_and_scored),
    output:
        result("baseline/scores.tsv"),
    log:
        result("logs/baseline.log"),
    benchmark:
        result("benchmarks/baseline.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        code=code("baseline"),
        content=lambda wildcards: identity(masked_subjects(), "fold", "content"),
        folder=result("preprocess"),
        seed=config["seed"],
    shell:
        'python "$GLIOSEG/baseline.py"'
        " --cohort {input.cohort:q}"
        " --preprocess {params.folder:q}"
        " --seed {params.seed}"
        " --output {output:q}"
        " > {log:q} 2>&1"


# A checkpoint, since the scores decide which subjects the report shows, and so which scans its pages embed.
checkpoint summarize:
    input:
        scores=get_scores,
        uncertainties=get_uncertainties,
        volumes=get_measured,
        baseline=get_baselines,
        cohort=ancient(result("split/cohort.tsv")),
    output:
        subjects=result("summarize/subjects.tsv"),
        scores=result("summarize/scores.tsv"),
        calibration=result("summarize/calibration.tsv"),
        uncertainty=result("summarize/uncertainty.tsv"),
        volumes=result("summarize/volumes.tsv"),
        lesions=result("summarize/lesions.tsv"),
        confusion=result("summarize/confusion.tsv"),
        suspects=result("summarize/suspects.tsv"),
        groups=result("summarize/groups.tsv"),
    log:
        result("logs/summarize.log"),
    benchmark:
        result("benchmarks/summarize.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("summarize"),
        cohort=get_cohort,
        folder=result("evaluate"),
        baseline=lambda wildcards, input: each("baseline", input.baseline),
        predictions=result("predict"),
        measured=result(MEASURED),
        failures=each("failures", LEDGERS),
        options=options(config["summarize"]),
        seed=config["seed"],
    shell:
        'python "$GLIOSEG/summarize.py"'
        " --evaluate {params.folder:q}"
        " --predictions {params.predictions:q}"
        " --measured {params.measured:q}"
        " {params.baseline:q}"
        " --cohort {input.cohort:q}"
        " {params.failures:q}"
        " {params.options:q}"
        " --seed {params.seed}"
        " --subjects {output.subjects:q}"
        " --scores {output.scores:q}"
        " --calibration {output.calibration:q}"
        " --uncertainty {output.uncertainty:q}"
        " --volumes {output.volumes:q}"
        " --lesions {output.lesions:q}"
        " --confusion {output.confusion:q}"
        " --suspects {output.suspects:q}"
        " --groups {output.groups:q}"
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


rule report:
    input:
        notes=result("layouts/notes.tsv"),
        cohort=result("split/cohort.tsv"),
        subjects=result("summarize/subjects.tsv"),
        scores=result("summarize/scores.tsv"),
        uncertainty=result("summarize/uncertainty.tsv"),
        measured=result("summarize/volumes.tsv"),
        lesions=result("summarize/lesions.tsv"),
        confusion=result("summarize/confusion.tsv"),
        groups=result("summarize/groups.tsv"),
        suspects=result("summarize/suspects.tsv"),
        calibration=result("summarize/calibration.tsv"),
        tuning=get_tuning_tables,
        chosen=get_chosen,
        scans=get_preprocessed,
        models=get_all_models,
        settings=get_settings,
        pictures=get_pictures,
        volumes=get_volumes,
        label_tables=get_label_tables,
        figures=get_figures,
        templates=get_templates,
        segmenter=get_segmenter,
    output:
        index=report(result("report/index.html"), caption="captions/report.rst", category="Report"),
        pages=directory(result("report/subjects")),
        paper=directory(result("report/paper")),
    log:
        result("logs/report.log"),
    benchmark:
        result("benchmarks/report.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code("report"),
        plots=lambda wildcards, input: Path(input.figures[0]).parent,
        preprocess=result("preprocess"),
        volumes=result("report/volumes"),
        tuning=lambda wildcards, input: each("tuning", input.tuning),
        chosen=lambda wildcards, input: each("chosen", input.chosen),
        models=lambda wildcards, input: each("model", input.models),
        config=json.dumps(config),
        benchmarks=result("benchmarks"),
        results=lambda wildcards, output: Path(output.index).parents[1],
        failures=each("failures", LEDGERS),
        segmenter=lambda wildcards, input: each("segmenter", input.segmenter),
        registered=["--registered", result("register")] if REGISTERED else [],
        options=options({name: value for name, value in config["report"].items() if name != "model"}),
    shell:
        'python "$GLIOSEG/report.py"'
        " --notes {input.notes:q}"
        " --cohort {input.cohort:q}"
        " --subjects {input.subjects:q}"
        " --scores {input.scores:q}"
        " --uncertainty {input.uncertainty:q}"
        " --measured {input.measured:q}"
        " --lesions {input.lesions:q}"
        " --confusion {input.confusion:q}"
        " --groups {input.groups:q}"
        " --suspects {input.suspects:q}"
        " --calibration {input.calibration:q}"
        " {params.tuning:q}"
        " {params.chosen:q}"
        " --plots {params.plots:q}"
        " --preprocess {params.preprocess:q}"
        " --volumes {params.volumes:q}"
        " {params.models:q}"
        " --config {params.config:q}"
        " --benchmarks {params.benchmarks:q}"
        " --results {params.results:q}"
        ' --commit "$(git -C "$GLIOSEG/.." --git-dir=.git describe --always --dirty 2>/dev/null'
        ' || sed -n "s/^version: /version /p" "$GLIOSEG/../CITATION.cff")"'
        " {params.failures:q}"
        " {params.segmenter:q}"
        " {params.registered:q}"
        " {params.options:q}"
        " --pages {output.pages:q}"
        " --paper {output.paper:q}"
        " --output {output.index:q}"
        " > {log:q} 2>&1"


rule crate:
    input:
        result("report/index.html"),
    output:
        result("ro-crate-metadata.json"),
    log:
        result("logs/crate.log"),
    benchmark:
        result("benchmarks/crate.tsv")
    conda:
        "../envs/light.yaml"
    container:
        LIGHT
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("crate"),
        results=lambda wildcards, output: Path(output[0]).parent,
        config=json.dumps(config),
    shell:
        'python "$GLIOSEG/crate.py"'
        " --results {params.results:q}"
        " --config {params.config:q}"
        " --output {output:q}"
        " > {log:q} 2>&1"
