"""What is shown of each class: as often as it happens, and by what somebody asks for."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from playahead.decoding.decoder import Decoder
from playahead.decoding.predictions import DensePredictions
from playahead.decoding.shown import Shown, fit_shown, min_confidences
from playahead.domain.actions import ACTIONS, Action
from playahead.inference.open_predictor import open_predictor
from playahead.io.errors import InputError

SHOWN = Shown((0.4, *[0.1] * 9), (0.25, *[0.02] * 9))


def test_each_class_is_shown_as_often_as_it_happens():
    rng = np.random.default_rng(0)
    stated_ORV = np.zeros((4_000, 32, 11), np.float32)
    stated_ORV[:, 5, 1], stated_ORV[:, 9, 7] = rng.random(4_000) * 0.8, rng.random(4_000) * 0.1
    happened = np.repeat([Action.PASS.class_index, Action.SHOT.class_index], [3_000, 200])
    shown = fit_shown(stated_ORV, happened)
    for action, n in ((Action.PASS, 3_000), (Action.SHOT, 200)):
        c = action.class_index
        assert (stated_ORV[:, :, c + 1] >= shown.min_C[c]).sum() == pytest.approx(n, abs=8)
    assert shown.min_C[Action.OUT.class_index] == 1, "a class that never happened"
    # 200 shots in 20,000 s: 0.01 a second, and a mean of 3.33 s around a moment.
    assert shown.usual_C[Action.SHOT.class_index] == pytest.approx(0.0328, abs=0.0005)


@pytest.mark.parametrize(
    ("wanted", "shown", "passes", "shots"),
    [
        (None, None, 0.3, 0.3),
        (None, SHOWN, 0.4, 0.1),
        (0.25, SHOWN, 0.25, 0.25),
        (0, SHOWN, 0, 0),
        ("shot=0.05", SHOWN, 0.4, 0.05),
        ("Shot=.05, pass=1", None, 1, 0.05),
    ],
)
def test_what_somebody_asks_for(wanted, shown, passes, shots):
    min_C = min_confidences(wanted, shown)
    assert (min_C[0], min_C[Action.SHOT.class_index]) == (passes, shots)


@pytest.mark.parametrize("wanted", ["", "shot", "goal=0.1", "free kick=0.1", "shot=", "shot=2", "shot=nan", 1.5, -0.1])
def test_what_means_nothing_is_refused(wanted):
    with pytest.raises(InputError, match="min_confidence"):
        min_confidences(wanted, SHOWN)


@given(st.one_of(st.text(max_size=40), st.floats(), st.dictionaries(st.sampled_from(ACTIONS), st.floats(0, 1))))
def test_whatever_is_asked_is_a_bound_or_one_line(wanted):
    if isinstance(wanted, dict):
        wanted = ",".join(f"{action}={bound}" for action, bound in wanted.items())
    try:
        min_C = min_confidences(wanted, SHOWN)
    except InputError as reason:
        assert "\n" not in str(reason)
    else:
        assert ((min_C >= 0) & (min_C <= 1)).all()


def test_classes_of_one_frame_are_shown_side_by_side():
    """A likely pass does not hide a shot that is unusually likely at the same time."""
    probability_ORC = np.zeros((1, 32, 10), np.float32)
    probability_ORC[0, 10, [0, Action.SHOT.class_index]] = 0.6, 0.11
    (records,) = Decoder(shown=SHOWN).anticipations(DensePredictions(probability_ORC), None)
    assert [record.action for record in records] == [Action.PASS, Action.SHOT]
    passes, shot = records
    assert passes.times_usual == pytest.approx(2.4, abs=0.1)
    assert "times the usual" not in passes.how_likely
    assert shot.how_likely == "11%, 6 times the usual"


def test_the_packaged_model_shows_more_than_passes_and_drives():
    shown = open_predictor().decoder().shown
    assert shown is not None
    assert all(least >= usual for least, usual in zip(shown.min_C, shown.usual_C, strict=True))
    assert shown.min_C[Action.SHOT.class_index] < 0.3 < shown.min_C[Action.PASS.class_index]
