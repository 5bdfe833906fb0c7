# make run: run the whole workflow, up to the report.   make test: run all checks and tests.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3.11
# "make run GPU=1" installs TensorFlow with its CUDA libraries.
LOCK := $(if $(GPU),envs/requirements-gpu.lock,envs/requirements.lock)
# Further arguments for Snakemake: make run ARGS="--configfile presets/brats2020.yaml --config data=FOLDER"
ARGS ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PIP := python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: install run model brain segmenter view pictures slurm containers dicom docs test test-cluster test-containers test-faults lint bench bench-peers bench-peers-cases bench-curve lock clean

# Install into .venv without running anything.
install: .venv/run

run: .venv/run
	@snakemake --cores all $(ARGS)

# Train models/glioseg.zip, the model that `segment.py` uses without --model, on phantoms alone. Takes an hour on two
# cores; what was interrupted goes on. From nothing, the same machine gives the same file.
model: .venv/run
	snakemake train_all --cores all --configfile presets/model.yaml
	python scripts/export.py results/model --half --license MIT --output models/glioseg.zip

# Train models/brain.keras, the network that strips the skull, on heads of phantoms. The file that is there learned from
# phantoms of before, and is better (docs/benchmarks.md, "Registration"): look at patients before you exchange it.
brain: .venv/run
	python scripts/train_strip.py --heads 60 --epochs 60 --seed 42 --threads 2 --output models/brain.keras

# Install onnxruntime-web, with which the report segments scans in the browser (report: model). Needs npm.
segmenter:
	npm ci --ignore-scripts --prefix envs/npm

# Serve the report to browsers on this machine: make view RESULTS=results/mine PORT=8000
RESULTS ?= results
PORT ?= 0
view: .venv/run
	@python scripts/view.py "$(RESULTS)" --port "$(PORT)"

# Renew the pictures of README and docs from a finished run: make pictures RESULTS=results. Needs Chromium.
pictures: .venv/test
	python tests/pictures_of_docs.py --results "$(RESULTS)"

# Install the plugin for a Slurm cluster: see docs/cluster.md.
slurm: .venv/run
	@$(PIP) --requirement envs/requirements-slurm.lock

# Run the workflow through a real Slurm on this machine, with failing nodes. Takes about ten minutes; needs root and the
# Debian packages slurm-wlm, slurmdbd, munge and mariadb-server. Uses a separate venv, since the plugin makes every start
# of Snakemake contact Slurm.
test-cluster: .venv/test .venv/slurm/installed
	PATH="$$PWD/.venv/slurm/bin:$$PATH" python -m pytest tests/cluster

# Build the images for `snakemake --sdm apptainer` from the lock files. Options for Apptainer:
#   make containers APPTAINER="--fakeroot"
APPTAINER ?=
containers: containers/light.sif containers/full.sif

containers/light.sif: envs/requirements-light.lock
containers/full.sif: $(LOCK)
containers/%.sif: containers/glioseg.def containers/install containers/smoke.py
	apptainer build --force --mksquashfs-args "-comp zstd -Xcompression-level 3" --build-arg LOCK=$(filter %.lock,$^) \
	  --build-arg VERSION="$$(git describe --always --dirty 2>/dev/null || echo unknown)" $(APPTAINER) $@ $<

# Each file of tests runs in one of up to four processes, for its tests share what they made. More need too much memory.
test: .venv/test lint
	python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# Build the images and run the workflow in them: podman, Apptainer, a bare Debian. Takes 15 minutes; needs root on
# Debian 12 and what `tests/containers/install-tools tests/containers/.work/tools` installs. Tests without their tool are
# skipped.
test-containers: .venv/test
	python -m pytest tests/containers

# Inject every fault of the matrix and write docs/reliability.md. Takes half an hour.
test-faults: .venv/test
	rm -f tests/faults/records.jsonl
	GLIOSEG_FAULTS=full nice python -m pytest -q tests/faults
	python tests/faults/matrix.py

lint: .venv/test
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint

# Write phantoms as DICOM series into results/dicom, as a scanner exports them (docs/scanner.md).
dicom: .venv/run
	python benchmarks/dicom_phantom.py results/dicom

# Build the documentation into site/, with pages that open from disk; a warning is an error.
docs: .venv/docs
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "Documentation: $(CURDIR)/site/index.html"

.venv/run: $(LOCK)
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed; $(PYTHON) is not on the PATH (make run PYTHON=/path/to/python3.11)"; exit 1; }
	@echo "Installing the packages of $(LOCK) into .venv (once, about two minutes) …"
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@$(PIP) --requirement $(LOCK)
	@touch $@

.venv/test: .venv/run envs/requirements-dev.lock
	@$(PIP) --requirement envs/requirements-dev.lock
	@touch $@

.venv/docs: .venv/run envs/requirements-docs.lock
	@$(PIP) --requirement envs/requirements-docs.lock
	@touch $@

# Benchmarks of docs/benchmarks.md; those on real patients run if GLIOSEG_CASES is the folder of their scans.
bench: .venv/run
	snakemake --cores all results/synthesize/phantom_001/phantom_001_seg.nii.gz
	python benchmarks/preprocess.py --subject results/synthesize/phantom_001 --labels brats2020 --repeats 11
	@test -d "$(GLIOSEG_CASES)" || { echo "GLIOSEG_CASES is not a folder: the benchmarks on real cases are skipped"; exit 0; }; \
	snakemake --cores all --configfile presets/brats2013.yaml benchmarks/ours.yaml --config data="$(GLIOSEG_CASES)" && \
	snakemake --cores all --configfile presets/brats2013.yaml benchmarks/original.yaml --config data="$(GLIOSEG_CASES)"

# Train our network, the original recipe, MONAI's SegResNet and nnU-Net for 20 minutes each on the same phantoms. Takes
# two hours on an otherwise idle machine. PyTorch (4 GB) is installed in a separate environment.
STUDY := results/bench-equal
PEER := .venv/peers/bin/python benchmarks
PEERS_RUN := --autocast true --threads 2 --seed 42
EQUAL := --study $(STUDY) --folds 1 --minutes 20 $(PEERS_RUN)
bench-peers: .venv/peers/installed
	snakemake --cores all --configfile benchmarks/equal.yaml
	snakemake --cores all --configfile presets/original.yaml benchmarks/equal-original.yaml
	$(PEER)/segresnet.py $(EQUAL) --crop 96 --output $(STUDY)/segresnet.json
	$(PEER)/nnunet.py $(EQUAL) --memory-gb 1 --mirroring false --work $(STUDY)/nnunet --output $(STUDY)/nnunet-1gb.json
	$(PEER)/nnunet.py $(EQUAL) --memory-gb 8 --mirroring false --work $(STUDY)/nnunet --output $(STUDY)/nnunet-8gb.json

# The same on the real cases in the folder GLIOSEG_CASES. Three folds share the 20 minutes; takes 90 minutes in total.
CASES := results/bench-2013
SHARED := --study $(CASES) --folds 3 --minutes 6.667 $(PEERS_RUN)
A_FOLD := "train={max_minutes: 6.667}" data="$(GLIOSEG_CASES)"
bench-peers-cases: .venv/peers/installed
	@test -d "$(GLIOSEG_CASES)" || { echo "GLIOSEG_CASES is not a folder; set it to the folder of real cases"; exit 1; }
	snakemake --cores all --configfile presets/brats2013.yaml benchmarks/equal.yaml --config $(A_FOLD) results=$(CASES)
	snakemake --cores all --configfile presets/original.yaml presets/brats2013.yaml benchmarks/equal-original.yaml \
	  --config $(A_FOLD) results=$(CASES)-original
	$(PEER)/segresnet.py $(SHARED) --crop 96 --output $(CASES)/segresnet.json
	$(PEER)/nnunet.py $(SHARED) --memory-gb 1 --mirroring false --work $(CASES)/nnunet --output $(CASES)/nnunet-1gb.json

# Dice of our network by minutes of training, with the 20-minute results of `make bench-peers`. Takes 90 minutes.
CURVE := results/bench-curve
MINUTES := 5 10 60
bench-curve: .venv/run
	for minutes in $(MINUTES); do \
	  snakemake --cores all --configfile benchmarks/equal.yaml \
	    --config results=$(CURVE)/$$minutes "train={max_minutes: $$minutes}"; \
	done
	python benchmarks/curve.py --picture $(CURVE)/curve.png --point ours 20 $(STUDY) \
	  $(foreach minutes,$(MINUTES),--point ours $(minutes) $(CURVE)/$(minutes)) \
	  --point original 20 $(STUDY)-original --point SegResNet 20 $(STUDY)/segresnet.json \
	  --point "nnU-Net, 1 GB" 20 $(STUDY)/nnunet-1gb.json --point "nnU-Net, 8 GB" 20 $(STUDY)/nnunet-8gb.json

# A venv with the packages of one lock file, which also sees the packages of .venv.
.venv/%/installed: .venv/run envs/requirements-%.lock
	python -m venv .venv/$*
	ls -d "$$PWD"/.venv/lib/python3*/site-packages >.venv/$*/lib/python3.11/site-packages/project.pth
	.venv/$*/bin/$(PIP) --requirement envs/requirements-$*.lock
	touch $@

# Resolve the newest compatible versions into lock files, to be committed. The later ones follow requirements.lock.
lock: .venv/test
	cd envs; constraint=; for name in requirements requirements-{gpu,light,dev,slurm,docs,peers}; do \
	  uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --override requirements-override.txt $$constraint --output-file $$name.lock $$name.in; \
	  constraint="--constraint requirements.lock"; \
	done
	$(MAKE) --always-make $(POST_DEPLOY)

# Scripts with which Snakemake installs a lock file in the environments that conda makes. A script holds the lock,
# since Snakemake runs a copy of it in another folder, and a new lock has to give a new environment. It leaves out the
# comments of the lock: if only they change, no environment is made again.
POST_DEPLOY := $(patsubst %,envs/%.post-deploy.sh,light tensorflow tensorflow-gpu)
envs/light.post-deploy.sh: envs/requirements-light.lock
envs/tensorflow.post-deploy.sh: envs/requirements.lock
envs/tensorflow-gpu.post-deploy.sh: envs/requirements-gpu.lock
$(POST_DEPLOY): export HEAD = $(INSTALL_LOCK)
$(POST_DEPLOY):
	{ echo "$$HEAD"; sed '/^ *#/d' $<; echo LOCK; } >$@
	chmod +x $@

define INSTALL_LOCK
#!/usr/bin/env bash
# Written by `make lock` from $<.
set -euo pipefail
# With -I and PIP_USER=0, pip neither sees nor changes packages in ~/.local or on PYTHONPATH.
PIP_USER=0 python -I -m pip install --no-deps --require-hashes --requirement /dev/stdin <<'LOCK'
endef

clean:
	rm -rf results .snakemake
