"""The 25 fps clock: nearest picture by timestamp at any rate, nothing adding up over hours."""

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from playahead.video.clock import at_rate


@settings(max_examples=150, deadline=None)
@example(gaps=[0.3333333333333333, 0.3333333333333333], start_s=1e-06, fps=50.0)
@given(
    gaps=st.lists(st.floats(0.004, 0.5), min_size=1, max_size=60),
    start_s=st.floats(0, 3),
    fps=st.sampled_from([5.0, 25.0, 50.0]),
)
def test_every_moment_takes_its_nearest_picture(gaps, start_s, fps):
    times = np.cumsum([0.0, *gaps])
    shown = list(at_rate(zip(times, range(len(times)), strict=True), fps, start_s))
    assert [index for index, _ in shown] == list(range(len(shown)))
    for index, picture in shown:
        moment = start_s + index / fps
        distance = np.abs(times - moment)
        # A microsecond either way is one moment: the other picture may be two nearer, and a rounding error.
        assert distance[picture] <= distance.min() + 2e-6 + 1e-9
    end_s = times[-1] + gaps[-1]
    assert len(shown) == max(0, int(np.ceil((end_s - start_s) * fps - 1e-4)))


@pytest.mark.parametrize("rate", [24000 / 1001, 25, 30000 / 1001, 30, 50, 60])
def test_two_hours_keep_the_clock(rate):
    n = int(2 * 3600 * rate)
    shown = list(at_rate(((i / rate, i) for i in range(n)), 25))
    assert abs(len(shown) - 2 * 3600 * 25) <= 1
    index, picture = shown[-10]
    assert abs(picture / rate - index / 25) <= 0.5 / min(rate, 25) + 1e-6


def test_a_part_and_pictures_that_go_back_in_time():
    pictures = [(i / 25, i) for i in range(100)]
    assert list(at_rate(pictures, 25, 1.0, 1.2)) == [(i, 25 + i) for i in range(5)]
    assert [list(at_rate(some, 25, 4.0)) for some in (pictures, [])] == [[], []]
    back = [(0.0, "a"), (0.04, "b"), (0.02, "late"), (0.04, "again"), (0.08, "c")]
    assert [picture for _, picture in at_rate(back, 25)] == ["a", "b", "c"]
