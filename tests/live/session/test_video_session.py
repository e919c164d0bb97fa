"""A session on video: the numbers of ``predict`` on the same frames."""

import json

import numpy as np

from playahead.cli.main import run
from playahead.features.encoder import VideoEncoder
from playahead.live.session.video_session import VideoSession


def watch(session: VideoSession, frames):
    return [answer for gray_HW in frames if (answer := session.push(gray_HW))]


def lines_of(answers) -> list[tuple]:
    return [(e.observed_until_ms, e.time_ms, e.action, e.confidence, e.seen_ms) for a in answers for e in a.expected]


def test_live_equals_offline(model, frames, made, video, backbone_file, capsys):
    answers = watch(VideoSession(model, 0.0), frames)
    assert [answer.now_ms for answer in answers] == list(range(5_000, len(frames) * 40 + 1, 1_000))
    weights = ["--weights", str(made / "run" / "weights.safetensors"), "--backbone", str(backbone_file)]
    asked = ["--min-confidence", "0", "--every", "1", "--short", "--format", "json"]
    assert run(["predict", str(video), *weights, *asked]) == 0
    offline = json.loads(capsys.readouterr().out)
    keys = ("observed_until_ms", "time_ms", "action", "confidence", "seen_ms")
    assert lines_of(answers) == [tuple(line[key] for key in keys) for line in offline["anticipated"]]


def test_spotted_actions_rest_on_the_scores_of_predict(model, frames):
    session, encoder = VideoSession(model, 0.0), VideoEncoder(model.backbone, 25)
    watch(session, frames[:1000])
    for gray_HW in frames[:1000]:
        encoder.push(gray_HW)
    offline = dict(zip(*encoder.spotted(), strict=True))
    centres, scores_TC = session._encoder.spotted()
    assert len(centres) > 700
    for centre, scores_C in zip(centres, scores_TC, strict=True):
        np.testing.assert_array_equal(scores_C, offline[centre])


def test_a_slower_pace_gives_the_same_answers_less_often(model, frames):
    every_second, slow = watch(VideoSession(model, 0.0), frames), VideoSession(model, 0.0)
    slow.set_pace(5)
    sparse = watch(slow, frames)
    assert [answer.now_ms for answer in sparse] == list(range(5_000, len(frames) * 40 + 1, 5_000))
    by_time = {answer.now_ms: answer for answer in every_second}
    for answer in sparse:
        np.testing.assert_array_equal(answer.intensity_RC, by_time[answer.now_ms].intensity_RC)


def test_the_pace_may_change_on_the_way(model, frames):
    by_time = {answer.now_ms: answer for answer in watch(VideoSession(model, 0.0), frames)}
    session = VideoSession(model, 0.0)
    first = watch(session, frames[:260])
    session.set_pace(5)
    second = watch(session, frames[260:520])
    assert [answer.now_ms for answer in second] == [15_000, 20_000]
    for answer in [*first, *second]:
        np.testing.assert_array_equal(answer.intensity_RC, by_time[answer.now_ms].intensity_RC)
    session.set_pace(1)
    third = watch(session, frames[520:])
    assert third[0].seen_ms == 5_000


def test_after_a_gap_the_answer_is_whole_again_30_s_later(model, frames):
    session = VideoSession(model, 0.0)
    watch(session, frames[:200])
    session.restart(60_000)
    answers = watch(session, frames)
    assert answers[0].now_ms == 65_000
    assert [answer.seen_ms for answer in answers if answer.now_ms in (65_000, 71_000, 90_000)] == [
        5_000,
        10_000,
        30_000,
    ]
    fresh = watch(VideoSession(model, 0.0), frames)
    np.testing.assert_array_equal(answers[-1].intensity_RC, fresh[-1].intensity_RC)


def test_memory_stays_flat(model, frames):
    session = VideoSession(model, 0.0)
    watch(session, frames)
    encoder = session._encoder
    assert len(encoder._features) <= 150
    assert len(encoder._scores) <= 775
    assert len(session._windows._encoded) <= 30
    assert len(encoder._stream._frames) <= 40
    assert len(encoder._stream._maps) <= 60


def test_skipped_frames_are_counted_and_told(model, frames):
    session = VideoSession(model, 0.0)
    watch(session, frames[:200])
    session.skip(50)
    assert session.skipped_frames == 50
    (answer,) = watch(session, frames[:125])
    assert answer.now_ms == 15_000
    assert answer.notices == ["2.0 s of video skipped: this machine is too slow"]


def test_blindness_is_an_answer_too(model):
    session = VideoSession(model, 0.0)
    session.notices.add("the source is lost")
    answer = session.blind(7_000)
    assert answer.notices == ["the source is lost"]
    assert answer.seen_ms == 0
    assert not answer.intensity_RC.any()
