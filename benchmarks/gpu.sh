#!/usr/bin/env bash
# An hour on a GPU: parity with the CPU, speed with its share of peak (the device alone on the paper's 1,280 columns, and
# whole steps that the host feeds), memory, resuming. Prints a table for docs/measurements.md.
#
#   benchmarks/gpu.sh              on the accelerator of this machine, at the published sizes (about half an hour)
#   benchmarks/gpu.sh --dry        on any machine, at sizes that take two minutes: does the script itself work?
set -euo pipefail
cd "$(dirname "$0")/.."
make setup
exec .venv/bin/python -W ignore benchmarks/gpu.py "$@"
