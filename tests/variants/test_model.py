"""Other pieces in the anticipator: what each looks at, and that sequences stay the same as examples one by one."""

import math
from dataclasses import replace

import pytest
import torch

from playahead.io.errors import InputError
from playahead.paper.anticipator import Anticipator, AnticipatorOutput
from playahead.paper.losses import SlotLosses
from playahead.paper.matcher import Assignment
from playahead.paper.slots import SlotLogits
from playahead.variants.config import AnticipatorConfig, CriterionConfig
from playahead.variants.model import StepEncoder, VariantMemory, build, gaussian_logits
from tests.support.paper import SMALL, features, targets


def small(**changes) -> Anticipator:
    torch.manual_seed(0)
    return build(replace(SMALL, **changes))


def parts(output) -> tuple[torch.Tensor, ...]:
    """Logits of the slots, or of the frames."""
    return output.slots if isinstance(output.slots, SlotLogits) else (output.slots,)


def test_dense_output():
    output = small(head="dense", auxiliary="off").train()(features())
    assert output.slots.shape == (2, 32, 10)
    assert output.presence_PNC is None


def test_joint_heads_are_one_softmax_over_nothing_and_the_classes():
    model = small(head="joint").train()
    slots_OKD = torch.randn(3, 4, 16)
    plain = model.heads.heads(slots_OKD)
    nothing_OK1 = math.log(10) - plain.objectness_OK[..., None]
    joint_OKV = torch.cat([nothing_OK1, plain.class_OKC], dim=2).softmax(dim=2)
    logits = model.heads(slots_OKD)
    chance_OKC = logits.objectness_OK.sigmoid()[..., None] * logits.class_OKC.softmax(dim=2)
    torch.testing.assert_close(chance_OKC, joint_OKV[..., 1:])
    torch.testing.assert_close(1 - logits.objectness_OK.sigmoid(), joint_OKV[..., 0])


def test_the_losses_of_joint_heads_are_the_joint_cross_entropy():
    slots_OKD = torch.randn(1, 5, 16)
    model = small(head="joint")
    plain, logits = model.heads.heads(slots_OKD), model.heads(slots_OKD)
    events = targets([(3, 0.25)])
    config = CriterionConfig(positive_weight=1.0, label_smoothing=0.0)
    matched = Assignment(torch.tensor([0]), torch.tensor([2]), torch.tensor([0]))
    found = SlotLosses(config)(AnticipatorOutput(logits, None), events, matched)
    joint_KV = torch.cat([math.log(10) - plain.objectness_OK[0, :, None], plain.class_OKC[0]], dim=1)
    label_K = torch.tensor([0, 0, 4, 0, 0])
    expected = torch.nn.functional.cross_entropy(joint_KV, label_K, reduction="sum")
    torch.testing.assert_close(found["objectness"] + found["class"], expected)


def test_unrolled_frames_follow_one_another_from_the_context():
    model = small(head="unrolled").eval()
    output = model(features())
    assert output.slots.shape == (2, 32, 10)
    memory = model.memory(model.encode(features()))
    again_ORD = model.decoder(memory._replace(steps_OMD=torch.zeros_like(memory.steps_OMD)))
    torch.testing.assert_close(model.heads(again_ORD), output.slots)  # it reads the context alone
    assert (again_ORD[:, 1:] - again_ORD[:, :-1]).abs().amax(dim=2).min() > 0


@pytest.mark.parametrize("ignored", [{"memory_tail": True}, {"conditioned": False}], ids=str)
def test_unrolled_frames_refuse_what_they_would_ignore(ignored):
    with pytest.raises(InputError, match="unrolled reads the context alone"):
        small(head="unrolled", **ignored)


@pytest.mark.parametrize(("auxiliary", "windows"), [("last", 3), ("all", 8)])
def test_the_observation_head_looks_at_the_windows_it_should(auxiliary, windows):
    presence_PNC = small(auxiliary=auxiliary).train()(features(windows=8)).presence_PNC
    assert presence_PNC.shape == (2 * windows, 33, 10)


VARIANTS = (
    {},
    {"memory_tail": True},
    {"head": "dense"},
    {"head": "dense", "memory_tail": True},
    {"head": "joint"},
    {"head": "joint", "classes": ("PASS", "SHOT"), "slot_time": "regression"},
    {"head": "unrolled"},
    {"head": "unrolled", "encoder": "steps"},
    {"memory": "mean"},
    {"memory": "last"},
    {"n_windows": 1},
    {"n_windows": 2, "memory_tail": True},
    {"encoder": "steps"},
    {"encoder": "steps", "n_windows": 2, "slot_time": "regression"},
)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_a_sequence_gives_the_same_as_its_examples_one_by_one(changes):
    model = small(**changes).eval()
    sequence_BWNF = features(windows=9)
    together = model(sequence_BWNF)
    for first in range(4):
        alone = model(sequence_BWNF[:, first : first + 6])
        for whole, part in zip(parts(together), parts(alone), strict=True):
            torch.testing.assert_close(whole.unflatten(0, (2, 4))[:, first], part, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_windows_can_be_encoded_by_themselves_and_kept(changes):
    model = small(**changes).eval()
    features_BWNF = features()
    used_BWNF = features_BWNF[:, 6 - model.config.n_windows :]
    encoded_BWND = model.encode_windows(used_BWNF.flatten(0, 1)).unflatten(0, used_BWNF.shape[:2])
    for whole, kept in zip(parts(model(features_BWNF)), parts(model.answer(encoded_BWND)), strict=True):
        torch.testing.assert_close(whole, kept, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "changes", [{"n_windows": 2}, {"encoder": "steps", "n_windows": 2}, {"memory": "last"}], ids=str
)
def test_only_the_windows_that_are_looked_at_count(changes):
    model = small(**changes).eval()
    whole_BWNF = features()
    unseen_BWNF = whole_BWNF.clone()
    unseen_BWNF[:, : 6 - (1 if "memory" in changes else 2)] = 9.0
    for mine, theirs in zip(parts(model(whole_BWNF)), parts(model(unseen_BWNF)), strict=True):
        assert torch.equal(mine, theirs)
    unseen_BWNF[:, -1] += 1.0
    assert not torch.equal(model(whole_BWNF).slots.class_OKC, model(unseen_BWNF).slots.class_OKC)


def test_a_step_attends_to_its_fifteen_neighbours_and_no_further():
    torch.manual_seed(0)
    encoder = StepEncoder(replace(SMALL, encoder="steps", encoder_layers=1)).eval()
    torch.nn.init.zeros_(encoder.position_XLD)
    steps_OLF = torch.randn(1, 198, 7)
    moved_OLF = steps_OLF.clone()
    moved_OLF[0, 100] += 1.0
    ours, moved = (encoder(steps.unflatten(1, (6, 33))).flatten(1, 2) for steps in (steps_OLF, moved_OLF))
    assert (ours != moved).any(dim=2)[0].nonzero().flatten().tolist() == list(range(93, 108))


def test_a_regressed_time_is_a_gaussian_around_it():
    logits_T = gaussian_logits(torch.tensor([[[0.62]]]), 20)[0, 0]
    centre_T = (torch.arange(20) + 0.5) / 20
    assert logits_T.argmax().item() == 12
    assert (logits_T.softmax(0) @ centre_T).item() == pytest.approx(0.62, abs=1e-3)
    one_hot = -logits_T.log_softmax(0)[4] + logits_T.log_softmax(0)[12]
    assert one_hot.item() == pytest.approx(((0.62 - 0.225) ** 2 - (0.62 - 0.625) ** 2) * 400 / 2, rel=1e-4)


def test_regression_starts_in_the_middle():
    offset_OKT = small(slot_time="regression", bins=20)(features()).slots.offset_OKT
    time_OK = offset_OKT.softmax(-1) @ ((torch.arange(20) + 0.5) / 20)
    torch.testing.assert_close(time_OK, torch.full((2, 5), 0.5), atol=1e-3, rtol=0)


def test_window_importance_on_the_grus_outputs():
    """1.2 j, the paper's other reading; the context is scaled with its step."""
    memory = VariantMemory(replace(SMALL, importance_on="outputs"))
    torch.nn.init.zeros_(memory.importance_W)
    tokens_BWND = torch.randn(3, 6, 33, 16)
    half = memory(tokens_BWND)
    torch.nn.init.constant_(memory.importance_W, 50.0)
    whole = memory(tokens_BWND)
    torch.testing.assert_close(half.steps_OMD, whole.steps_OMD / 2)
    torch.testing.assert_close(half.context_OD, half.steps_OMD[:, -1])


def test_the_tail_is_the_last_windows_tokens_at_full_rate():
    memory = VariantMemory(replace(SMALL, memory_tail=True))
    tokens_BWND = torch.randn(2, 7, 33, 16)
    steps_OMD = memory(tokens_BWND).steps_OMD
    assert steps_OMD.shape == (4, 24 + 33, 16)
    assert torch.equal(steps_OMD[:, 24:], tokens_BWND[:, 5:].flatten(0, 1))


def test_window_importance_can_be_left_out():
    assert small(window_importance=False).memory.importance_W is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoder": "steps", "memory_tail": True}, "memory_tail: True is not for encoder=steps"),
        ({"encoder": "steps", "memory": "mean"}, "memory: mean is not for encoder=steps"),
        ({"encoder": "steps", "auxiliary": "all"}, "auxiliary: all is not for encoder=steps"),
    ],
)
def test_contradictory_settings_are_refused(changes, reason):
    with pytest.raises(ValueError, match=f"AnticipatorConfig.{reason}"):
        replace(SMALL, **changes)


@pytest.mark.parametrize("changes", [{"memory": "lstm"}, {"classes": ("PASS", "GOAL")}, {"classes": ("PASS", "PASS")}])
def test_names_that_are_none_are_refused(changes):
    with pytest.raises(InputError, match=f"AnticipatorConfig.{next(iter(changes))}"):
        AnticipatorConfig(feature_dim=8, **changes)
