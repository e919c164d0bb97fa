"""1.3 i-m: which slots emit, when, and with what confidence."""

import numpy as np
import pytest

from playahead.paper.inference import TAU, anticipate, slot_times

O_OK = np.array([[0.9, 0.31, 0.3, 0.8]], np.float32)
P_OKC = np.eye(10, dtype=np.float32)[[4, 7, 1, 2]][None]
P_OKC[0, 0] = [0, 0.1, 0, 0, 0.6, 0.3, 0, 0, 0, 0]
R_OKT = np.eye(20, dtype=np.float32)[[10, 3, 5, 3]][None]


def test_slots_above_tau_emit_their_whole_class_vector_at_their_bins_centre():
    emitted = anticipate(O_OK, P_OKC, R_OKT, tau=float(O_OK[0, 2]))
    assert emitted.example_P.tolist() == [0, 0, 0]
    assert emitted.slot_P.tolist() == [0, 1, 3], "a slot at tau does not emit"
    assert emitted.time_P.tolist() == pytest.approx([0.525, 0.175, 0.175])
    assert emitted.confidence_PC.argmax(axis=1).tolist() == [4, 7, 2]
    assert emitted.confidence_PC[0].tolist() == pytest.approx([0, 0.09, 0, 0, 0.54, 0.27, 0, 0, 0, 0])
    assert not len(anticipate(O_OK, P_OKC, R_OKT, tau=0.95).slot_P), "no rescue"


def test_the_class_alone_can_be_the_confidence():
    emitted = anticipate(O_OK, P_OKC, R_OKT, 0.5, confidence="class")
    assert emitted.confidence_PC.tolist() == P_OKC[0, [0, 3]].tolist()


def test_taus_default_is_the_papers():
    assert TAU == 0.3
    assert len(anticipate(O_OK, P_OKC, R_OKT).slot_P) == len(anticipate(O_OK, P_OKC, R_OKT, 0.3).slot_P)


def test_the_expected_time_lies_between_the_bins():
    split_OKT = np.zeros((1, 1, 20), np.float32)
    split_OKT[..., 0], split_OKT[..., 19] = 0.6, 0.4
    assert slot_times(split_OKT)[0, 0] == pytest.approx(0.025)
    assert slot_times(split_OKT, "expected")[0, 0] == pytest.approx(0.6 * 0.025 + 0.4 * 0.975)
