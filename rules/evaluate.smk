# From label maps and masks to scores and tables.


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
