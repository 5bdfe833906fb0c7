# From everything above to the report.


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
