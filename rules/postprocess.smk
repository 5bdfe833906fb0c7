# From the label maps and probabilities of held-out subjects to what is chosen on them, and to the final label maps.


if TUNED:

    rule tune_postprocess:
        input:
            cohort=ancient(result("split/cohort.tsv")),
            subjects=ancient(result("layouts/subjects.tsv")),
            segmentations=get_tuning_predictions,
            maps=get_tuning_maps,
        output:
            table=result("tune_postprocess/{fold}_tried.tsv"),
            volumes=result("tune_postprocess/{fold}.json"),
        log:
            result("logs/tune_postprocess/{fold}.log"),
        benchmark:
            result("benchmarks/tune_postprocess/{fold}.tsv")
        conda:
            "../envs/light.yaml"
        container:
            LIGHT
        resources:
            mem_mb=growing(1500),
            runtime=growing(60),
        params:
            code=code("tune_postprocess"),
            content=lambda wildcards: identity(tuning_subjects(cohort(), wildcards.fold), "fold", "content"),
            preprocess=result("preprocess"),
            predictions=result(NETWORK_MAPS),
            configured=[config["predict"][name] for name in SMALLEST],
            configured_regions=[config["predict"][name] for name in CUTS],
            configured_temperature=config["predict"][TEMPERATURE],
            maps=each("maps", [result(f"{NETWORK_FACTS}/maps")] if SEARCHED or CALIBRATED else []),
            failures=each("failures", LEDGERS),
            options=options(
                config["tune_postprocess"]
                | ({} if SEARCHED else {"region_thresholds": []})
                | ({} if CALIBRATED else {"temperatures": []})
            ),
        shell:
            'python "$GLIOSEG/tune_postprocess.py"'
            " --fold {wildcards.fold:q}"
            " --cohort {input.cohort:q}"
            " --subjects {input.subjects:q}"
            " --preprocess {params.preprocess:q}"
            " --predictions {params.predictions:q}"
            " --configured {params.configured}"
            " --configured-regions {params.configured_regions}"
            " --configured-temperature {params.configured_temperature}"
            " {params.maps:q}"
            " {params.failures:q}"
            " {params.options:q}"
            " --table {output.table:q}"
            " --output {output.volumes:q}"
            " > {log:q} 2>&1"

    rule postprocess:
        input:
            segmentation=result(f"{NETWORK_MAPS}/{{subject}}.nii.gz"),
            volumes=get_tuned_volumes,
            maps=get_region_maps,
            uncalibrated=get_uncalibrated,
        output:
            segmentation=result("predict/{subject}.nii.gz"),
            volumes=result("postprocess/{subject}.json"),
            uncertainty=[result("predict/{subject}.json")] if CALIBRATED else [],
            maps=expand(
                result("predict/maps/{{subject}}/{map}.nii.gz"), map=config["predict"]["maps"] if CALIBRATED else []
            ),
        log:
            result("logs/postprocess/{subject}.log"),
        benchmark:
            result("benchmarks/postprocess/{subject}.tsv")
        conda:
            "../envs/light.yaml"
        container:
            LIGHT
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            code=code("postprocess"),
            labels=get_labels,
            maps=lambda wildcards: each(
                "maps", [result(f"{NETWORK_FACTS}/maps/{wildcards.subject}")] if SEARCHED else []
            ),
            calibrated=get_calibration_options,
        shell:
            'python "$GLIOSEG/postprocess.py"'
            " --prediction {input.segmentation:q}"
            " --labels {params.labels:q}"
            " --volumes {input.volumes:q}"
            " {params.maps:q}"
            " {params.calibrated:q}"
            " --measured {output.volumes:q}"
            " --output {output.segmentation:q}"
            " > {log:q} 2>&1"
