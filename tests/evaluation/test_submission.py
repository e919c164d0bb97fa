"""Submissions: round trip, the perfect answer, and every reason for refusal."""

import json
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from playahead.domain.actions import ACTIONS
from playahead.evaluation.frames import FrameTable, clip_labels, frame_of_ms, rasterise
from playahead.evaluation.official import benchmark_average, count_detections, metrics_from_counts
from playahead.evaluation.submission import (
    RESULTS_NAME,
    check_submission,
    frame_table,
    perfect_answer,
    read_results,
    write_submission,
)
from playahead.io.errors import InputError
from playahead.lab.simulation.plays import clips_of, simulate_half

CLIPS = clips_of(simulate_half(0, minutes=30))


@pytest.fixture
def written(tmp_path):
    return write_submission(tmp_path, perfect_answer(CLIPS))


def test_the_perfect_answer_finds_everything_within_the_frames(written):
    """Events that share a frame with another of their clip are lost to everybody: the label of a frame is one."""
    table = frame_table(CLIPS, read_results(written[0]), written[0])
    metrics = metrics_from_counts(count_detections(table))
    present = [any(e.action is a for c in CLIPS for e in c.anticipation) for a in ACTIONS]
    precisions = [ap for ap, there in zip(metrics["at1"]["a_mAP_per_class"], present, strict=True) if there]
    assert min(precisions) > 0.9
    assert metrics["atInfty"]["a_mAP"] > 0.9 * sum(present) / 10


def test_the_perfect_answer_scores_what_the_official_scorer_gives_the_labels_themselves(written):
    """Events rasterised straight from the labels, one vector each: the same counts at every threshold."""
    events = [(n, event) for n, clip in enumerate(CLIPS) for event in clip.anticipation]
    vectors = np.zeros((len(events), 11), np.float32)
    vectors[np.arange(len(events)), [event.action.class_index + 1 for _, event in events]] = 1
    frames = frame_of_ms(np.array([event.position_ms for _, event in events]))
    direct = FrameTable(*clip_labels(CLIPS), rasterise(np.array([n for n, _ in events]), frames, vectors, len(CLIPS)))
    ours = count_detections(frame_table(CLIPS, read_results(written[1]), written[1]))
    assert metrics_from_counts(ours) == metrics_from_counts(count_detections(direct))


def test_the_json_and_the_zip_score_the_same_and_have_no_problems(written):
    scores = [benchmark_average(count_detections(frame_table(CLIPS, read_results(p), p))) for p in written]
    assert scores[0] == scores[1] > 0
    names = [clip.name for clip in CLIPS]
    assert check_submission(written[0], names) == check_submission(written[1], names) == []


def test_withheld_clips_have_no_perfect_answer():
    with pytest.raises(InputError, match="withheld"):
        perfect_answer([replace(CLIPS[0], anticipation=None)])
    with pytest.raises(InputError, match="no clips"):
        write_submission(None, {})  # type: ignore[arg-type]


def entry(**change) -> dict:
    vector = [0.0] * 11
    vector[1] = 0.5
    return {"label": "PASS", "position": 31000, "confidence": 0.5, "confidence_vect": vector, **change}


def results(tmp_path, *entries, path="clip_1"):
    file = tmp_path / RESULTS_NAME
    annotations = {"observation": [], "anticipation": list(entries)}
    file.write_text(json.dumps({"videos": [{"path": path, "annotations": annotations}]}))
    return file


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": "FREE KICK"}, "not one of the ten"),
        ({"label": ["PASS"]}, "not one of the ten"),
        ({"confidence": 10**400}, "confidence is not"),
        ({"confidence_vect": [0, 10**400, *[0] * 9]}, "not a number in"),
        ({"position": 10**30}, "outside 30000..35000"),
        ({"position": "31000"}, "not a whole number"),
        ({"position": 31000.5}, "not a whole number"),
        ({"position": 1000}, "outside 30000..35000"),
        ({"position": 35001}, "outside 30000..35000"),
        ({"confidence": 1.5}, "confidence is not"),
        ({"confidence": float("nan")}, "confidence is not"),
        ({"confidence_vect": [0.1] * 10}, "has not 11 entries"),
        ({"confidence_vect": [0.0, 0.5, *[float("nan")] * 9]}, "not a number in"),
        ({"confidence_vect": [1.0] + [0.0] * 10}, "scores 0"),
        ({"confidence_vect": [0.5] + [0.0] * 10}, "scores 0"),
    ],
)
def test_bad_entries(tmp_path, change, reason):
    problems = check_submission(results(tmp_path, entry(), entry(**change)), ["clip_1"])
    assert len(problems) == 1
    assert reason in problems[0]
    assert "first in clip_1, anticipation 1" in problems[0]


def test_missing_fields_and_missing_extra_and_empty_clips(tmp_path):
    without = results(tmp_path, {"label": "PASS", "position": 31000})
    assert "has no confidence, confidence_vect" in check_submission(without)[0]
    problems = check_submission(results(tmp_path, entry(), path="clip_9"), ["clip_1", "clip_2"])
    assert problems[0].startswith("2 clips missing: clip_1, clip_2")
    assert problems[1].startswith("1 clips that the split does not have: clip_9")
    assert check_submission(results(tmp_path), ["clip_1"]) == ["no clip anticipates anything: it scores 0"]


def test_zip_levels_and_damage(tmp_path):
    file = results(tmp_path, entry())
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(file, f"out/{RESULTS_NAME}")
        archive.writestr("notes.txt", "hello")
    problems = check_submission(nested)
    assert "lies in a folder (out/results_anticipation.json)" in problems[0]
    assert "other files in the zip: notes.txt" in problems[1]
    (tmp_path / "broken.zip").write_bytes(b"PK nonsense")
    assert check_submission(tmp_path / "broken.zip")[0] == "not a zip file"
    assert check_submission(tmp_path / "nowhere.zip")[0] == "no such file"
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert "is missing" in check_submission(tmp_path / "empty.zip")[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 200_000, "not JSON"),
        ("[]", "expected an object"),
        ('{"videos": [{"path": "clip_1"}]}', "has no 'annotations'"),
        ('{"videos": [{"path": "../../clip_1", "annotations": {}}]}', "not of the form"),
    ],
)
def test_files_that_are_no_submission(tmp_path, body, reason):
    (tmp_path / RESULTS_NAME).write_text(body)
    with pytest.raises(InputError, match=reason):
        read_results(tmp_path / RESULTS_NAME)
    assert reason in check_submission(tmp_path / RESULTS_NAME)[0]


def test_a_damaged_zip_is_a_problem_not_a_traceback(written, tmp_path):
    body = written[1].read_bytes()
    for at in range(60, min(len(body), 3_000), 131):
        damaged = tmp_path / "damaged.zip"
        damaged.write_bytes(body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :])
        assert check_submission(damaged)
        with suppress(InputError):
            read_results(damaged)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        *(({"position": wrong}, ": position") for wrong in (1_000, 35_001, 2**62, 10**30, "31_000", None)),
        *(({"confidence_vect": wrong}, "") for wrong in ([0.1] * 10, "x", [10**400] * 11)),
        *(({"confidence_vect": [0.1] * 10 + [wrong]}, "") for wrong in (None, float("inf"))),
    ],
)
def test_entries_that_cannot_be_scored(tmp_path, change, reason):
    file = results(tmp_path, entry(**change))
    with pytest.raises(InputError, match=f"clip_1, anticipation 0{reason}"):
        frame_table(CLIPS, read_results(file), file)


def test_a_clip_listed_twice_and_a_path_with_the_video_in_it(tmp_path):
    problems = check_submission(results(tmp_path, entry(), path="clip_1/720p.mp4"), ["clip_1"])
    assert problems == ["1 paths that are not a clip's folder alone: clip_1/720p.mp4"]
    one = {"path": "clip_1", "annotations": {"anticipation": []}}
    (tmp_path / RESULTS_NAME).write_text(json.dumps({"videos": [one, one]}))
    assert "listed twice" in check_submission(tmp_path / RESULTS_NAME)[0]
