# Targets only call scripts.
.PHONY: run test check fix chaos bench image goldens docs cluster-test

python := .venv/bin/python
version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# With its registry: podman and buildah would put localhost/ before a bare name, which no kubelet finds.
images := docker.io/node-observability

run:
	@tools/setup run
	@$(python) -m tools.demo

test:
	@tools/setup test
	@tools/check all

check:
	@tools/setup test
	@tools/check lint

fix:
	@tools/setup test
	@.venv/bin/ruff check --fix --quiet . && .venv/bin/ruff format --quiet .

chaos:
	@tools/setup test
	@HYPOTHESIS_PROFILE=fuzz $(python) -m pytest tests/exporter/chaos tests/exporter/property tests/nodegroup/property --long

bench:
	@tools/setup bench
	@$(python) -m tests.bench

image:
	@tools/build_image $(images)/journal-exporter:$(version)
	@tools/build_image $(images)/toolbox:$(version) toolbox

goldens:
	@tools/setup test
	@$(python) -m pytest --quiet --update-goldens

docs:
	@tools/setup test
	@tools/build_docs

cluster-test:
	@tests/cluster/enter test -z "$$NODEOBS_FLUENT_BIT" -o -x "$$NODEOBS_FLUENT_BIT" || \
	    { echo "cluster: unless an error is printed above, NODEOBS_FLUENT_BIT=$$NODEOBS_FLUENT_BIT is not a program; unset it to use a stand-in" >&2; exit 2; }
	@tools/setup cluster
	@$(python) -m tests.cluster.images
	@tests/cluster/enter $(python) -m pytest tests/cluster --cluster --durations=0
