#!/usr/bin/env bash
# The benchmark's whole pipeline: download, check, extract, pretrain or convert, train, evaluate, submit, check, report.
#
#   scripts/reproduce.sh [--preset PRESET] WORK_FOLDER NDA_PASSWORD [PUBLISHED_CHECKPOINT.pth]
#       the benchmark itself. Presets:
#       paper  as the paper has it: 720p, the published checkpoint (converted; it carries the leak that its notice
#              tells), recipe video. The default where a checkpoint is given; needs a GPU or days.
#       720p   the published network at 1280x736, trained here from ImageNet on the training matches only: no leak.
#       224p   a small network at 224x128, trained likewise: two CPU cores do it. The default without a checkpoint.
#   scripts/reproduce.sh --simulate WORK_FOLDER
#       the 224p preset on a small simulated copy of the benchmark: a test, not a result.
#
# Killed and started again with the same words, it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."
playahead=${PLAYAHEAD:-.venv/bin/playahead}
stop() {
  echo "scripts/reproduce.sh: $1" >&2
  exit 2
}

preset=
if [ "${1:-}" = --preset ]; then
  preset=${2:?paper, 720p or 224p}
  shift 2
fi
if [ "${1:-}" = --simulate ]; then
  [ -z "$preset" ] || stop "--simulate has its own preset: leave --preset out"
  work=${2:?say where to work}
  data=$work/benchmark
  # shellcheck disable=SC2086 # a list of words
  "$playahead" data simulate --out "$data" --layout baa --video --halves 1 --width 224 --height 124 \
    ${SIMULATE:---matches 7 --minutes 8}
  pretraining="--recipe backbone-small ${PRETRAIN:---epochs 4 --steps-per-epoch 100 --validate-every 2}"
  training="--recipe video-small ${TRAIN:---epochs 4}"
  checkpoint=
else
  work=${1:?say where to work, or --simulate}
  password=${2:?the password comes with the NDA of SoccerNet}
  checkpoint=${3:-}
  preset=${preset:-$([ -n "$checkpoint" ] && echo paper || echo 224p)}
  case $preset in
    paper) resolution=720p pretraining= ;;
    720p) resolution=720p pretraining="--recipe backbone ${PRETRAIN:-}" ;;
    224p) resolution=224p pretraining="--recipe backbone-small ${PRETRAIN:-}" ;;
    *) stop "--preset $preset is not paper, 720p or 224p" ;;
  esac
  [ "$preset" != paper ] || [ -n "$checkpoint" ] || stop "the preset paper needs the published checkpoint"
  [ "$preset" = paper ] || [ -z "$checkpoint" ] || stop "the published checkpoint reads 720p: use --preset paper"
  training="--recipe video ${TRAIN:-}"
  data=$work/benchmark/$resolution
  "$playahead" data download baa --out "$work/benchmark" --password "$password" --resolution "$resolution"
fi

"$playahead" data check "$data"

if [ -n "$checkpoint" ]; then
  backbone=$work/backbone.safetensors
  "$playahead" weights convert "$checkpoint" --out "$backbone"
else
  backbone=$work/backbone/backbone.safetensors
  # shellcheck disable=SC2086
  "$playahead" pretrain --train "$data/train" --validate "$data/valid" --out "$work/backbone" $pretraining
fi

"$playahead" extract "$data" --out "$work/features" --backbone "$backbone"
# shellcheck disable=SC2086
"$playahead" train video --features "$work/features" --data "$data" --out "$work/run" $training

weights=$work/run/weights.safetensors
for split in valid test; do
  "$playahead" evaluate video "$data/$split" --features "$work/features" --weights "$weights"
done
for split in test challenge; do
  "$playahead" submit --features "$work/features" --labels "$data/$split" --weights "$weights" --out "$work/submission-$split"
  "$playahead" submit --check "$work/submission-$split/results_anticipation.zip" --labels "$data/$split"
done
"$playahead" evaluate submission "$work/submission-test/results_anticipation.zip" --labels "$data/test"
"$playahead" report "$work/run" --features "$work/features" --data "$data" --split val --out "$work/report.html"
