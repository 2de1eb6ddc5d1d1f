# Coldstart: every developer command. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
GO ?= go
TOOL := $(GO) tool -modfile=tools/go.mod
BIN := bin/coldstart
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
ARGS ?=
# Packages whose tests start processes; TestChildrenRunAlone keeps the list whole.
CHILDREN := ^coldstart/(cmd/coldstart|lessons/check|sandbox|sandbox/(box|conformance|hostile|runner)|web|web/(classroom|lab|live))$$
# Those of them whose tests give their processes many seconds for whatever they wait for, and mostly wait.
PATIENT := ^coldstart/(cmd/coldstart|sandbox/runner|web/(classroom|live))$$
# Says at the end of a line of commands how long the line took: each has a shell of its own.
took = && echo "== $@, $(1): $$SECONDS s"

.PHONY: help run build assets generate dev check format test test-full test-go test-browser bench bench-web bench-peer remeasure docs-images fuzz image image-check browser postgres deploy-check audit reproduce clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

run: build ## build, then serve the site with all lessons (ARGS="--addr :9000")
	./$(BIN) serve $(ARGS)

build: assets ## build bin/coldstart, everything embedded
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/coldstart $(call took,program)
	./$(BIN) prime

assets: ## fetch pinned npm packages and bundle what the browser and the isolates need
	$(GO) run ./cmd/assets $(call took,assets)

generate: ## regenerate templ components
	$(TOOL) templ generate -include-version=false -log-level warn

dev: build ## serve with live reload of lessons and the author's lint
	./$(BIN) serve --author --lessons lessons/content $(ARGS)

format: ## format Go code
	$(TOOL) gofumpt -w $$(git ls-files '*.go' | grep -v _templ.go)

check: assets ## format, vet, staticcheck, tsc, regenerate without difference, layers
	@out=$$($(TOOL) gofumpt -l $$(git ls-files '*.go' | grep -v _templ.go)); \
	  if [ -n "$$out" ]; then echo "not formatted, run make format:"; echo "$$out"; exit 1; fi
	$(GO) vet ./... $(call took,vet)
	$(TOOL) staticcheck ./... $(call took,staticcheck)
	cd web && node_modules/.bin/tsc --noEmit -p client && node_modules/.bin/tsc --noEmit -p ../sandbox/js $(call took,tsc)
	$(TOOL) templ generate -include-version=false -log-level warn
	@if [ -n "$$(git status --porcelain -- '*_templ.go')" ]; then echo "generated files differ, run make generate and commit:"; git status --porcelain -- '*_templ.go'; exit 1; fi
	$(GO) test ./cmd/coldstart -run 'Layers|PackageComment' $(call took,layers)

deploy-check: ## check the compose file and the Kubernetes manifests against their own schemas and types
	cd deploy/check && $(GO) run . .. $(call took,manifests)

test: browser postgres build check deploy-check test-go test-browser ## everything that must pass before a change lands
	@echo "make test: all passed"

# A race that is found is told at once; the second that each program would wait at its end for more is saved.
test-go: export GORACE := atexit_sleep_ms=0
test-go: ## Go tests under the race detector, the slow corpora once and without it
	@# Compiled with every processor. Packages that hold real children to deadlines, which means nothing while
	@# another package's children compete, run one after the other, the rest two at a time.
	$(GO) list -race -test -export ./... >/dev/null $(call took,compiling)
	$(GO) test -race -short -p 2 -timeout 15m $$($(GO) list ./... | grep -vE '$(CHILDREN)') $(call took,packages without children)
	$(GO) test -race -short -p 2 -timeout 15m $$($(GO) list ./... | grep -E '$(PATIENT)') $(call took,packages with patient children)
	$(GO) test -race -short -p 1 -timeout 15m $$($(GO) list ./... | grep -E '$(CHILDREN)' | grep -vE '$(PATIENT)|/sandbox/(conformance|hostile)$$') $(call took,packages with children)
	@# What no race can be in, or what the race detector would slow or weigh, is played without it.
	$(GO) test -short -timeout 15m ./sandbox ./sandbox/query -run 'TestSQLFairness|TestBounds' $(call took,fairness and bounds of SQL)
	@# The lessons wait for two thirds of their time.
	$(GO) test -short -p 2 -timeout 15m ./lessons/check ./cmd/coldstart ./sandbox/bundle -run 'TestShippedLessons|TestWrongAnswersHelp|TestOwnRunsJudgeALoadTime|TestExportedSolutions|TestDialectsAgainstWorkerd|TestLessonsAreReadApart|TestScripts/lint|TestDeep|TestHostileParsers|TestRandomRepeats' $(call took,shipped lessons with their exports and hostile projects)
	$(GO) test -short -timeout 15m ./web/lab -run 'TestSlopeAgreesWithAnOutsideMeasurement|TestRaceAgreesWithAnIndependentMeasurement|TestOwnCode' $(call took,labs against other measurements)
	$(GO) test -short -p 1 -timeout 15m -v ./sandbox/conformance | grep -vE '^pass ' $(call took,conformance)
	$(GO) test -short -p 1 -timeout 15m ./sandbox/hostile $(call took,hostile programs)

test-browser: ## the client's unit tests, then the browser tests against bin/coldstart
	node --import ./web/client/test.mjs --test web/client/*.test.ts $(call took,client)
	node web/e2e/run.mjs $(call took,pages)

test-full: test ## the long tests too: corpora three times over, fault injection, mutation of checks
	$(GO) test -timeout 90m ./...
	COLDSTART_FULL=1 node web/e2e/run.mjs

bench: build ## Go benchmarks and coldstart bench
	$(GO) test -run '^$$' -bench . -benchtime 200x ./sandbox/... ./web/...
	./$(BIN) bench

bench-web: build browser ## browser figures: transfer sizes, interaction, Lighthouse
	@cmp -s tools/lighthouse/package-lock.json tools/lighthouse/node_modules/.lock || { \
	  cd tools/lighthouse && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.lock; }
	node web/e2e/bench.mjs

docs-images: build browser ## draw the pictures of the manual and the README anew
	node web/e2e/screenshot.mjs

bench-peer: build ## Coldstart beside npm's workerd in one run
	./$(BIN) bench --peer $$(ls web/node_modules/@cloudflare/workerd-linux-*/bin/workerd)

remeasure: build browser ## hold the labs' race and density against tools of the system, and run a whole race
	$(GO) test -count=1 -timeout 10m -v ./web/lab -run 'TestRaceAgreesWithAnIndependentMeasurement|TestSlopeAgreesWithAnOutsideMeasurement' | grep -E '^ +[a-z]+_test.go|^(---|ok|FAIL)'
	node web/e2e/bench.mjs race of all contenders

fuzz: ## a short round of every fuzz target
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $${FUZZTIME:-10s} -fuzzminimizetime 20x $$pkg; done; done

image: ## build the container image with buildah
	deploy/image.sh build

image-check: ## build the image from local stand-ins for its base images and look inside
	deploy/image.sh check

browser: ## install Chromium for the browser tests when it is missing
	@command -v chromium >/dev/null || { \
	  as=""; [ "$$(id -u)" = 0 ] || as=sudo; \
	  $$as apt-get update -qq; DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

postgres: ## install the server of PostgreSQL for the tests when it is missing
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
	  as=""; [ "$$(id -u)" = 0 ] || as=sudo; \
	  $$as apt-get update -qq; DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq --no-install-recommends postgresql >/dev/null; } \
	  || echo "PostgreSQL could not be installed; the tests that need it are skipped"

audit: ## ask for known weaknesses of what the program is made of; needs the network, for whoever makes a release
	$(GO) mod verify
	cd tools && $(GO) mod verify
	$(TOOL) govulncheck ./...
	cd web && npm audit --omit=dev

reproduce: ## build what is committed in two folders, assets too, and demand the same bytes
	@d=$$(mktemp -d); trap 'for n in a b/c; do git worktree remove --force "$$d/$$n" 2>/dev/null || true; done; rm -rf "$$d"' EXIT; \
	  for n in a b/c; do \
	    git worktree add -q --detach "$$d/$$n"; cp -r web/node_modules "$$d/$$n/web/"; \
	    (cd "$$d/$$n" && $(GO) run ./cmd/assets -release -installed && CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o "$$d/coldstart-$${n##*/}" ./cmd/coldstart); \
	  done; \
	  sha256sum "$$d"/coldstart-*; cmp "$$d/coldstart-a" "$$d/coldstart-c" && echo "reproduce: the same bytes twice"

clean: ## remove what was built
	rm -rf bin static/dist/* web/e2e/out
