"""A session on video: the numbers of ``predict`` on the same frames."""

import json

import numpy as np
import pytest

from playahead.cli.main import run
from playahead.features.encoder import VideoEncoder
from playahead.live.session.answer import Answer
from playahead.live.session.video_session import VideoSession


def watch(session: VideoSession, frames) -> list[Answer]:
    return [answer for gray_HW in frames if (answer := session.push(gray_HW))]


@pytest.fixture
def session(model):
    return VideoSession(model, 0.0)


@pytest.fixture(scope="module")
def by_time(model, frames) -> dict[int, Answer]:
    """Answers at every second, from one session on all frames."""
    return {answer.now_ms: answer for answer in watch(VideoSession(model, 0.0), frames)}


def assert_same(answers: list[Answer], others: list[Answer]) -> None:
    for answer, other in zip(answers, others, strict=True):
        np.testing.assert_array_equal(answer.intensity_RC, other.intensity_RC)


def test_live_equals_offline(by_time, frames, made, video, backbone_file, capsys):
    assert list(by_time) == list(range(5_000, len(frames) * 40 + 1, 1_000))
    weights = ["--weights", str(made / "run" / "weights.safetensors"), "--backbone", str(backbone_file)]
    options = ["--min-confidence", "0", "--every", "1", "--short", "--format", "json"]
    assert run(["predict", str(video), *weights, *options]) == 0
    keys = ("observed_until_ms", "time_ms", "action", "confidence", "seen_ms")
    offline = [tuple(line[key] for key in keys) for line in json.loads(capsys.readouterr().out)["anticipated"]]
    live = [tuple(getattr(line, key) for key in keys) for answer in by_time.values() for line in answer.expected]
    assert live == offline


def test_spotted_actions_rest_on_the_scores_of_predict_and_memory_stays_flat(model, session, frames):
    encoder = VideoEncoder(model.backbone, 25)
    watch(session, frames[:1000])
    for gray_HW in frames[:1000]:
        encoder.push(gray_HW)
    offline = dict(zip(*encoder.spotted(), strict=True))
    centres, scores_TC = session._encoder.spotted()
    assert len(centres) > 700
    for centre, scores_C in zip(centres, scores_TC, strict=True):
        np.testing.assert_array_equal(scores_C, offline[centre])
    live, stream = session._encoder, session._encoder._stream
    kept = (live._features, live._scores, session._windows._encoded, stream._frames, stream._maps)
    assert all(len(items) <= most for items, most in zip(kept, (150, 775, 30, 40, 60), strict=True))


def test_the_pace_may_change_on_the_way(session, by_time, frames):
    answers = watch(session, frames[:260])
    session.set_pace(5)
    slower = watch(session, frames[260:520])
    assert [answer.now_ms for answer in slower] == [15_000, 20_000]
    answers += slower
    assert_same(answers, [by_time[answer.now_ms] for answer in answers])
    session.set_pace(1)
    assert watch(session, frames[520:])[0].seen_ms == 5_000


def test_after_a_gap_the_answer_is_whole_again_30_s_later(session, by_time, frames):
    watch(session, frames[:200])
    session.restart(60_000)
    answers = watch(session, frames)
    seen_ms = {answer.now_ms: answer.seen_ms for answer in answers}
    assert min(seen_ms) == 65_000
    assert [seen_ms[now_ms] for now_ms in (65_000, 71_000, 90_000)] == [5_000, 10_000, 30_000]
    assert_same(answers[-1:], [*by_time.values()][-1:])


def test_skipped_frames_are_counted_with_a_notice(session, frames):
    watch(session, frames[:200])
    session.skip(50)
    (answer,) = watch(session, frames[:125])
    assert (session.skipped_frames, answer.now_ms) == (50, 15_000)
    assert answer.notices == ["2.0 s of video skipped: this machine is too slow"]


def test_an_answer_without_sight_holds_notices_alone(session):
    session.notices.add("the source is lost")
    answer = session.blind(7_000)
    assert (answer.notices, answer.seen_ms, answer.intensity_RC.any()) == (["the source is lost"], 0, False)
