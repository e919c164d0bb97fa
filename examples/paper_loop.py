"""The paper trained on a toy, top to bottom: ``python examples/paper_loop.py`` (some ten seconds).

In the toy, what happened in the last five seconds happens again in the next five, at the same times. A snippet's
features are noise, and 1 for an action that happens there. ``playahead train feed`` does the same on real matches.
"""

import numpy as np
import torch

from playahead.domain.actions import ACTIONS
from playahead.paper.anticipator import build
from playahead.paper.config import LossConfig, ModelConfig, ScheduleConfig
from playahead.paper.inference import anticipate
from playahead.paper.losses import Criterion, build_losses
from playahead.paper.matcher import Matcher
from playahead.paper.sampling import inverse_frequency, mix, rare_factors
from playahead.paper.schedule import build_adamw, learning_rate
from playahead.paper.targets import NO_TARGET, Targets

EPOCHS, STEPS, BATCH, W, N, C = 10, 30, 32, 6, 8, len(ACTIONS)
torch.manual_seed(0)
torch.set_num_threads(1)  # more threads only wait for each other on matrices as small
rng = np.random.default_rng(0)


def toy(n_examples: int) -> tuple[torch.Tensor, Targets]:
    """Features of examples of six windows, with at most one action per window, and what follows."""
    class_BW = rng.choice(C, (n_examples, W), p=np.linspace(2, 0.5, C) / np.linspace(2, 0.5, C).sum())
    class_BW[rng.random((n_examples, W)) < 0.2] = NO_TARGET
    step_BW = rng.integers(0, N, (n_examples, W))
    presence_BWNC = torch.zeros(n_examples, W, N, C)
    b, w = np.nonzero(class_BW != NO_TARGET)
    presence_BWNC[b, w, step_BW[b, w], class_BW[b, w]] = 1.0
    features_BWNF = presence_BWNC + 0.1 * torch.randn(n_examples, W, N, C)
    class_OE = torch.from_numpy(class_BW[:, -1:].astype(np.int64))
    time_OE = torch.from_numpy((step_BW[:, -1:] + 0.5) / N).float()
    return features_BWNF, Targets.of(class_OE, time_OE, presence_BWNC)


# 1.2, 1.3: the model, at a size for seconds. 1.4: Eq. (5) with inverse class frequencies, the losses, AdamW.
sizes = {"d_model": 48, "heads": 4, "ffn_dim": 96, "encoder_layers": 1, "decoder_layers": 1, "slots": 4, "bins": N}
config = ModelConfig(feature_dim=C, n_snippets=N, dropout=0.0, **sizes)
losses, schedule = LossConfig(sigma_bins=0.5), ScheduleConfig(lr=5e-3, warmup_epochs=1, restart_epochs=None)
model = build(config)
features_BWNF, targets = toy(3000)
class_O = targets.class_OE.numpy()
weight_C = inverse_frequency(np.bincount(class_O[class_O != NO_TARGET], minlength=C))
criterion = Criterion(build_losses(losses), Matcher(weight_C, losses.offset_weight), torch.device("cpu"))
optimizer = build_adamw(list(model.parameters()), schedule)
factor_O = rare_factors(class_O)  # examples with rare classes are drawn more often

loss_by_epoch = []
for epoch in range(EPOCHS):
    total = 0.0
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(epoch + step / STEPS, schedule, EPOCHS)
        drawn = torch.from_numpy(rng.choice(len(factor_O), BATCH, p=factor_O / factor_O.sum()))
        mixed = mix(features_BWNF[drawn], targets.select(drawn), 0.2, rng)
        loss = criterion(model(mixed.features_BWNF), mixed.parts)["total"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.clip_norm)
        optimizer.step()
        total += loss.item() / STEPS
    loss_by_epoch.append(total)
    print(f"epoch {epoch + 1:2}  loss {total:6.2f}")

# 1.3 i to m: the slots above tau, on examples that training has not seen, beside what happened there.
features_BWNF, targets = toy(500)
with torch.inference_mode():
    logits = model.eval()(features_BWNF).slots
o_OK, p_OKC, r_OKT = logits.objectness_OK.sigmoid(), logits.class_OKC.softmax(-1), logits.offset_OKT.softmax(-1)
emitted = anticipate(o_OK.numpy(), p_OKC.numpy(), r_OKT.numpy(), tau=0.5)
said = np.stack([emitted.example_P, emitted.confidence_PC.argmax(1), (emitted.time_P * N).astype(int)], 1)
happened = np.stack([np.arange(500), targets.class_OE[:, 0], (targets.time_OE[:, 0] * N).int()], 1)
happened = happened[happened[:, 1] != NO_TARGET]
right = {*map(tuple, said.tolist())} & {*map(tuple, happened.tolist())}
print(f"{len(happened)} events, {len(said)} anticipations, {len(right)} of them right in class and time")
