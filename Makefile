# The commands of a developer and of an operator who tries Haven out. Needs Swift 6.3; the rest is looked for by
# .ci/system-packages, which installs it when make runs as root.
CONFIGURATION ?= release
SOURCES := Sources Tests Package.swift

.PHONY: build lab test simulate planted-bugs partitions soak bench bench-heartbeat format lint clean ground
.DEFAULT_GOAL := build

ground:
	@command -v swift >/dev/null || { echo "make: no swift on this machine: Swift 6.3 is at https://www.swift.org/install/linux" >&2; exit 1; }
	@.ci/system-packages

# All programs of the product.
build: ground
	swift build -c $(CONFIGURATION)

# The guided tour: three controllers on this machine, what can happen to them, and what clients see of it. Needs root.
# KEEP=1 leaves the lab running, RUNS=n does everything n times, PROFILE=fast|lan|wan chooses the cluster's times.
# Figures go to lab-report.json.
lab: build
	@"$$(swift build -c $(CONFIGURATION) --show-bin-path)/haven" lab tour --runs $(or $(RUNS),1) --profile $(or $(PROFILE),lan) \
	  $(if $(KEEP),--keep) --report lab-report.json

test: ground
	swift build --build-tests
	swift test --skip-build --no-parallel

# Whole clusters in virtual time under faults: SEEDS=A..+N runs the seeds from A on, on all processors; ends with 1 if a
# promise is broken. ARGS="--nodes 5 --mode safety --seconds 60 --verbose" says more; see docs/reliability.md.
simulate: simulator
	.build/release/simulate run --seeds $(or $(SEEDS),1..+200) $(ARGS)

# Breaks the cores in every known way, one by one: each has to be noticed.
planted-bugs: simulator
	.build/release/simulate planted-bugs

# Clusters of two to five nodes, cut in every way.
partitions: simulator
	.build/release/simulate partitions

.PHONY: simulator
simulator: ground
	swift build -c release --product simulate

# What an idle agent costs in clusters of 5 and 32, all on this machine in a network of their own.
bench-heartbeat: ground
	swift build -c release --product bench
	swift build -c release --product havend
	.build/release/bench heartbeat

# haven-proxy beside the distribution's HAProxy; figures also in bench-results. RUNS=n repeats more often.
bench: ground
	swift build -c release --product haven-proxy
	swift build -c release --product bench
	.build/release/bench $(if $(RUNS),--runs $(RUNS))

# The lab's cluster while all processors are busy, MINUTES (10) with real-time priority of the agents and as many without
# (PRIORITY=realtime|normal|both): nobody may be given up who lives. Before that, what idle programs take. Needs root.
# PAUSES=1 also stops each agent at random, for up to 80% of the time after which a node is lost; SEED=n decides when.
soak: build
	@"$$(swift build -c $(CONFIGURATION) --show-bin-path)/haven" lab soak --lab soak \
	  --minutes $(or $(MINUTES),10) --priority $(or $(PRIORITY),both) $(if $(PAUSES),--pauses --seed $(or $(SEED),1))

format: ground
	swift format --in-place --recursive --parallel $(SOURCES)

lint: ground
	swift format lint --strict --recursive --parallel $(SOURCES)

clean:
	rm -rf .build lab-report.json bench-results
