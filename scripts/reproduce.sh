#!/usr/bin/env bash
# The benchmark's whole pipeline: download, check, pretrain or convert, extract, train, choose on valid, write and check
# submissions, report. Test is scored once, after its submission is written.
#
#   scripts/reproduce.sh [--preset PRESET] WORK_FOLDER [PUBLISHED_CHECKPOINT.pth]
#       the benchmark itself. Presets:
#       paper  as the paper has it: 720p, the published checkpoint, recipe video. The default where a checkpoint is
#              given. The checkpoint is a 15-frame model of github.com/lRomul/ball-action-spotting (MIT): a model-*.pth
#              that its experiment ball_tuning_001 or sampling_weights_001 writes for one fold. Its README links no
#              weights: train it there, or have a file from somebody who did. ball_finetune_long_004 reads 33 frames and
#              is refused. Its folds hold the two test matches: a score on test carries that leak, one on challenge does not.
#       720p   the published network at 1280x736, trained here from ImageNet on the training matches only: no leak.
#       224p   a small network at 224x128, trained likewise: two CPU cores do it. The default without a checkpoint.
#   scripts/reproduce.sh --simulate WORK_FOLDER
#       the 224p preset on a small simulated copy of the benchmark: a test, not a result.
#
# Before the first run: sign SoccerNet's NDA (www.soccer-net.org/data), which brings the password; accept the terms of
# huggingface.co/datasets/SoccerNet/ActionAnticipation with an account, and `hf auth login` or set HF_TOKEN. The password
# is read from SOCCERNET_PASSWORD, from the file that SOCCERNET_PASSWORD_FILE names, or asked for.
#
# Killed and started again with the same words, it goes on where it was.
set -euo pipefail
stop() {
  echo "scripts/reproduce.sh: $1" >&2
  exit 2
}
step() { echo "== $*" >&2; }
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

preset=
simulate=
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?paper, 720p or 224p} && shift 2 ;;
    --simulate) simulate=yes && shift ;;
    --*) stop "there is no option $1" ;;
    *) break ;;
  esac
done
work=$(absolute "${1:?say where to work}")
checkpoint=${2:+$(absolute "$2")}
[ $# -le 2 ] || stop "too many words: the password comes from SOCCERNET_PASSWORD, never from the command line"
if [ -n "$simulate" ]; then
  [ -z "$preset$checkpoint" ] || stop "--simulate has its own preset: leave --preset and the checkpoint out"
  preset=simulated
fi
preset=${preset:-$([ -n "$checkpoint" ] && echo paper || echo 224p)}
# Recipes, the room that is needed beside the download (decoded frames to pretrain on, features), and the time on one
# card of 24 GB: calculated from sizes and the published code's speed, not measured.
case $preset in
  simulated) pretraining="--recipe backbone-small ${PRETRAIN:---epochs 4 --steps-per-epoch 100 --validate-every 2}"
    training="--recipe video-small ${TRAIN:---epochs 4}" room_gb=1 time="a quarter of an hour on two cores" ;;
  paper) resolution=720p pretraining= training="--recipe video ${TRAIN:-}" room_gb=6
    time="extraction 2 to 8 h (decoding, on one core), training half an hour" ;;
  720p) resolution=720p pretraining="--recipe backbone ${PRETRAIN:-}" training="--recipe video ${TRAIN:-}" room_gb=40
    time="decoding 1 h, pretraining 4 to 10 h (15 of 24 GB), extraction 2 to 8 h, training half an hour" ;;
  224p) resolution=224p pretraining="--recipe backbone-small ${PRETRAIN:-}" training="--recipe video ${TRAIN:-}"
    room_gb=24 time="pretraining and extraction 1 to 3 h each, training half an hour; about a day on two cores" ;;
  *) stop "--preset $preset is not paper, 720p or 224p" ;;
esac
[ "$preset" != paper ] || [ -n "$checkpoint" ] || stop "the preset paper needs the published checkpoint"
[ "$preset" = paper ] || [ -z "$checkpoint" ] || stop "the published checkpoint reads 720p: use --preset paper"
[ -z "$checkpoint" ] || [ -f "$checkpoint" ] || stop "$checkpoint: no such file (the password is no argument: set SOCCERNET_PASSWORD)"

playahead=${PLAYAHEAD:-}
if [ -z "$playahead" ]; then
  playahead=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/playahead
  [ -x "$playahead" ] || make -C "$(dirname "$0")/.." setup >&2
fi
mkdir -p "$work"
features=$work/features
[ -e "$features/manifest.json" ] && room_gb=0 # most of it is there
free_gb=$(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1000000) }')
[ "$free_gb" -ge "$room_gb" ] || stop "$work: $free_gb GB are free, $room_gb GB are needed beside the download"
step "preset $preset in $work: $room_gb GB beside the download ($free_gb GB free). Time, about: $time"

if [ -n "$simulate" ]; then
  data=$work/benchmark
  step "1 of 8: simulate"
  # shellcheck disable=SC2086 # a list of words
  [ -e "$work/simulated" ] || "$playahead" data simulate --out "$data" --layout baa --video --halves 1 --width 224 \
    --height 124 ${SIMULATE:---matches 7 --minutes 8}
  touch "$work/simulated"
else
  data=$work/benchmark/$resolution
  if [ -n "$checkpoint" ]; then # first: a wrong file is found out in seconds, not after a day
    backbone=$work/backbone.safetensors
    "$playahead" weights convert "$checkpoint" --out "$backbone"
  fi
  step "1 of 8: download (it says how much, and refuses where there is too little room)"
  if [ -z "${SOCCERNET_PASSWORD:-}" ] && [ -n "${SOCCERNET_PASSWORD_FILE:-}" ]; then
    SOCCERNET_PASSWORD=$(cat "$SOCCERNET_PASSWORD_FILE")
    export SOCCERNET_PASSWORD
  fi
  "$playahead" data download baa --out "$work/benchmark" --resolution "$resolution"
fi

step "2 of 8: check"
"$playahead" data check "$data"

if [ -z "$checkpoint" ]; then
  step "3 of 8: pretrain the backbone on the training matches"
  backbone=$work/backbone/backbone.safetensors
  # shellcheck disable=SC2086
  "$playahead" pretrain --train "$data/train" --validate "$data/valid" --out "$work/backbone" $pretraining
fi

step "4 of 8: extract features"
# shellcheck disable=SC2086
"$playahead" extract "$data" --out "$features" --backbone "$backbone" ${EXTRACT:-}

step "5 of 8: train"
# shellcheck disable=SC2086
"$playahead" train video --features "$features" --data "$data" --out "$work/run" $training

weights=$work/run/weights.safetensors
step "6 of 8: score on valid, by our decoding and by the paper's"
for decoding in marginal paper; do
  "$playahead" evaluate video "$data/valid" --features "$features" --weights "$weights" --decoding "$decoding"
done

step "7 of 8: write and check submissions"
for split in test challenge; do
  for decoding in marginal paper; do
    answer=$work/submission-$split$([ "$decoding" = paper ] && echo -paper || true)
    "$playahead" submit --features "$features" --labels "$data/$split" --weights "$weights" --decoding "$decoding" --out "$answer"
    # A model that is sure of nothing emits nothing by the paper's threshold: that is its answer, and no reason to stop.
    "$playahead" submit --check "$answer/results_anticipation.zip" --labels "$data/$split" || [ "$decoding" = paper ]
  done
done

step "8 of 8: report, and test, once"
"$playahead" report "$work/run" --features "$features" --data "$data" --split val --out "$work/report.html"
for answer in "$work/submission-test" "$work/submission-test-paper"; do
  "$playahead" evaluate submission "$answer/results_anticipation.zip" --labels "$data/test"
done
step "done. Read $work/report.html. Choose a decoding by its score on valid, then upload" \
  "$work/submission-challenge/results_anticipation.zip (ours) or $work/submission-challenge-paper/... (the paper's) to the" \
  "server that www.soccer-net.org/challenges names"
