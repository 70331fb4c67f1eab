# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

PYTHON ?= python3
TOX_ENV ?=

LAB := .venv-lab
TOOLS := .venv-tools
BENCH := .venv-bench
BENCH_NOVA := .venv-bench-scheduler

# Whatever changes what is installed, or its entry points, installs again.
LAB_INPUTS := lab/requirements.txt requirements.txt setup.cfg pyproject.toml

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help test system-packages demo demo-up demo-down bench-controller \
	bench-scheduler bench-evacuation clean

help:
	@echo "nova_ha: compute high availability for OpenStack"
	@echo
	@echo "  make demo       a real Nova on this machine loses a hypervisor;"
	@echo "                  watch its instances come back elsewhere"
	@echo "                  (DEMO_HOSTS=4 DEMO_INSTANCES=12 by default)"
	@echo "  make demo-up    start the same cloud and leave it for hand work"
	@echo "  make demo-down  stop it"
	@echo "  make test       style, unit, scenario, contract and functional tests"
	@echo "                  (one of them: make test TOX_ENV=unit)"
	@echo "  make bench-controller"
	@echo "                  what a large fleet costs an engine (no servers)"
	@echo "  make bench-scheduler"
	@echo "                  what the filters and weighers cost nova-scheduler,"
	@echo "                  and how soon it avoids a host that is lost"
	@echo "  make bench-evacuation"
	@echo "                  how fast a dead host's instances are moved, beside a"
	@echo "                  bare script (ARGS=--large: 100 instances as well)"
	@echo "  make clean      remove environments, caches and demo output"
	@echo
	@echo "Needs Debian or Ubuntu with Python 3.11 or later (another one:"
	@echo "PYTHON=/path/to/python3) and root or sudo, to install servers that"
	@echo "the demo and the tests then run for themselves, on loopback."

system-packages:
	@echo "==> System packages for the demo and the tests"
	@lab/system-packages.sh

$(TOOLS)/.installed: tox.ini tools/venv.sh
	@echo "==> tox, in $(TOOLS)"
	@tools/venv.sh $(TOOLS) "tox>=4.11"
	@touch $@

$(LAB)/.installed: $(LAB_INPUTS) tools/venv.sh
	@echo "==> nova_ha and the OpenStack services it is shown with, in $(LAB)"
	@tools/venv.sh $(LAB) -r lab/requirements.txt -e ".[redfish]"
	@touch $@

$(BENCH)/.installed: requirements.txt setup.cfg pyproject.toml tools/venv.sh
	@echo "==> nova_ha alone, in $(BENCH)"
	@tools/venv.sh $(BENCH) -e .
	@touch $@

$(BENCH_NOVA)/.installed: $(LAB_INPUTS) tools/venv.sh
	@echo "==> nova_ha and the Nova that it is measured in, in $(BENCH_NOVA)"
	@tools/venv.sh $(BENCH_NOVA) -c lab/requirements.txt -e ".[scheduler]"
	@touch $@

test: system-packages $(TOOLS)/.installed
	@echo "==> tox: installs what the tests need, two environments at a time"
	@$(TOOLS)/bin/tox run-parallel --notest --parallel 2 $(if $(TOX_ENV),-e $(TOX_ENV))
	@echo "==> tox: the tests"
	@$(TOOLS)/bin/tox run $(if $(TOX_ENV),-e $(TOX_ENV))

demo: system-packages $(LAB)/.installed
	@echo "==> The demo"
	@exec $(LAB)/bin/python -m lab.demo

demo-up: system-packages $(LAB)/.installed
	@echo "==> The demo's cloud, for hand work"
	@exec $(LAB)/bin/python -m lab.demo up

# Does not install anything: what was never started needs no stopping.
demo-down:
	@if [ -x $(LAB)/bin/python ]; then \
		echo "==> Stopping the demo's cloud"; \
		exec $(LAB)/bin/python -m lab.demo down; \
	else \
		echo "There is no $(LAB): nothing was started"; \
	fi

# The machine must do nothing else meanwhile; the figures are ratios, though.
bench-controller: $(BENCH)/.installed
	@echo "==> What the controller costs, by the size of the fleet"
	@exec $(BENCH)/bin/python -m benchmarks.controller

bench-scheduler: system-packages $(BENCH_NOVA)/.installed
	@echo "==> What the filters and weighers cost, and how soon they know"
	@exec $(BENCH_NOVA)/bin/python -m benchmarks.scheduler

bench-evacuation: system-packages $(LAB)/.installed
	@echo "==> How fast instances are moved, beside a bare script"
	@exec $(LAB)/bin/python -m benchmarks.evacuation $(ARGS)

clean: demo-down
	@echo "==> Removing environments, caches and demo output"
	@rm -rf $(LAB) $(TOOLS) $(BENCH) $(BENCH_NOVA) .tox .stestr .lab demo-out doc/build \
		doc/source/_generated releasenotes/build .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis nova_ha.egg-info build dist
