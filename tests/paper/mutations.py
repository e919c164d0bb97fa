"""Mistakes that somebody could make in the paper's code, each with the test that must notice it.

A mutation is a file under ``src/playahead``, a text that occurs in it exactly once, what would stand there instead, and
the test that fails then. ``make mutations`` tries all of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One mistake.

    Attributes:
        name: what is wrong.
        file: under src/playahead.
        old, new: text and its replacement.
        test: node id under tests/.
    """

    name: str
    file: str
    old: str
    new: str
    test: str


_ANTICIPATOR, _MODEL = "model/anticipator.py", "model/test_anticipator.py::"
_ENCODER, _LAYERS, _MEMORY, _DECODER = (f"model/{n}.py" for n in ("local_encoder", "layers", "memory", "slot_decoder"))
_MATCHER, _CRITERION, _TARGETS = "training/matcher.py", "training/criterion.py", "training/targets.py"
_TRAINER, _LOOP, _OPTIM = "training/trainer.py", "training/loop.py", "training/optim.py"
_SAMPLING, _MIXUP, _SLOTS = "datasets/sampling.py", "datasets/mixup.py", "decoding/decoder.py"
_LOGITS = "paper/test_golden.py::test_every_logit_in_training_is_the_golden_one"
_LOSSES = "paper/test_golden.py::test_losses_of_six_steps_are_the_golden_ones"
_GRADIENTS = "paper/test_golden.py::test_clipped_gradients_are_the_golden_ones"
_WEIGHTS = "paper/test_golden.py::test_weights_go_where_the_golden_ones_went"
_AVERAGE = "paper/test_golden.py::test_the_moving_average_follows_the_golden_one"
_FAITHFUL = "training/test_faithful.py::"
_VALUES = f"{_FAITHFUL}test_every_value_of_a_faithful_recipe_is_a_statement"
_RATE = f"{_FAITHFUL}test_the_rate_warms_up_and_restarts"
_MATCHING, _LOSS = "training/test_matcher.py::", "training/test_criterion.py::"
_EXAMPLES, _DECODING = "datasets/test_feed_examples.py::", "decoding/test_decoder.py::"

_CROSS = "        slots_OKD = self.residual(slots_OKD, self.cross(self.norm_cross(slots_OKD), memory_OMD))\n"
_SELF = """        normed_OKD = self.norm_self(slots_OKD)
        slots_OKD = self.residual(slots_OKD, self.attention(normed_OKD, normed_OKD))
"""

MODEL = [
    Mutation(
        "post-LN around the encoder's attention",
        _ENCODER,
        """        normed_PND = self.norm_attention(tokens_PND)
        tokens_PND = self.residual(tokens_PND, self.attention(normed_PND, normed_PND, mask_NN))
""",
        """        mixed_PND = self.attention(tokens_PND, tokens_PND, mask_NN)
        tokens_PND = self.norm_attention(self.residual(tokens_PND, mixed_PND))
""",
        _LOGITS,
    ),
    Mutation(
        "post-LN around the encoder's feed-forward",
        _ENCODER,
        "return self.residual(tokens_PND, self.ffn(self.norm_ffn(tokens_PND)))",
        "return self.norm_ffn(self.residual(tokens_PND, self.ffn(tokens_PND)))",
        _LOGITS,
    ),
    Mutation(
        "no DropPath on the feed-forward branch",
        _ENCODER,
        "return self.residual(tokens_PND, self.ffn(self.norm_ffn(tokens_PND)))",
        "return tokens_PND + self.residual.dropout(self.ffn(self.norm_ffn(tokens_PND)))",
        _LOGITS,
    ),
    Mutation(
        "DropPath without its rescaling",
        _LAYERS,
        "(kept_B11 / (1 - self.drop_path))",
        "kept_B11",
        f"{_MODEL}test_drop_path_drops_whole_branches_and_keeps_the_mean",
    ),
    Mutation(
        "DropPath step by step",
        _LAYERS,
        "torch.rand(len(x_BSD), 1, 1, device",
        "torch.rand(len(x_BSD), x_BSD.shape[1], 1, device",
        f"{_MODEL}test_drop_path_drops_whole_branches_and_keeps_the_mean",
    ),
    Mutation("DropPath in the decoder", _DECODER, "Residual(config.dropout)", "Residual(config.dropout, 0.1)", _LOGITS),
    Mutation("attention scaled by 1 / d", _LAYERS, "query.shape[-1] ** -0.5", "query.shape[-1] ** -1.0", _LOGITS),
    Mutation(
        "no position embeddings",
        _ENCODER,
        "self.project(features_PNF) + self.position_ND",
        "self.project(features_PNF)",
        _LOGITS,
    ),
    Mutation("max pooling", _MEMORY, "start:stop].mean(dim=1)", "start:stop].amax(dim=1)", _LOGITS),
    Mutation(
        "window importance without its sigmoid",
        _MEMORY,
        "self.importance_W.sigmoid()",
        "self.importance_W",
        f"{_MODEL}test_window_importance_scales_a_window_uniformly",
    ),
    Mutation(
        "window importance on the GRU's outputs",
        _MEMORY,
        'config.importance_on == "outputs"',
        'config.importance_on == "inputs"',
        f"{_FAITHFUL}test_window_importance_scales_all_steps_of_a_window_alike",
    ),
    Mutation(
        "a GRU from the latest step to the first",
        _MEMORY,
        "self.gru(summaries_OWSD.flatten(1, 2).float())",
        "self.gru(summaries_OWSD.flatten(1, 2).flip(1).float())",
        _LOGITS,
    ),
    Mutation(
        "context from the first step", _MEMORY, "memory_OMD, memory_OMD[:, -1]", "memory_OMD, memory_OMD[:, 0]", _LOGITS
    ),
    Mutation(
        "context averaged over the steps",
        _MEMORY,
        "memory_OMD, memory_OMD[:, -1]",
        "memory_OMD, memory_OMD.mean(dim=1)",
        _LOGITS,
    ),
    Mutation("alpha of one half", _DECODER, "float(config.conditioned)", "0.5 * float(config.conditioned)", _LOGITS),
    Mutation(
        "static queries",
        _DECODER,
        "slots_OKD + self.alpha * self.condition(context_OD)[:, None]",
        "slots_OKD + 0 * self.condition(context_OD)[:, None]",
        f"{_MODEL}test_queries_follow_the_input_only_when_conditioned",
    ),
    Mutation("slots look at each other before the memory", _DECODER, _CROSS + _SELF, _SELF + _CROSS, _LOGITS),
    Mutation(
        "post-LN around the decoder's feed-forward",
        _DECODER,
        "return self.residual(slots_OKD, self.ffn(self.norm_ffn(slots_OKD)))",
        "return self.norm_ffn(self.residual(slots_OKD, self.ffn(slots_OKD)))",
        _LOGITS,
    ),
    Mutation(
        "the last window's tokens in the memory",
        _ANTICIPATOR,
        "if self.config.memory_tail else memory_OMD, context_OD",
        "if not self.config.memory_tail else memory_OMD, context_OD",
        _LOGITS,
    ),
    Mutation(
        "class losses do not reach the slots",
        "model/heads.py",
        "self.action(slots_OKD)",
        "self.action(slots_OKD.detach())",
        _GRADIENTS,
    ),
    Mutation(
        "observation head on the first window",
        _ANTICIPATOR,
        "last_BWND = tokens_BWND[:, self.config.n_windows - 1 :]",
        "last_BWND = tokens_BWND[:, : tokens_BWND.shape[1] - self.config.n_windows + 1]",
        _LOGITS,
    ),
]

MATCHING = [
    Mutation("Eq. (5) multiplied", _MATCHER, "return cost_OKE / weight_O1E", "return cost_OKE * weight_O1E", _LOSSES),
    Mutation(
        "the likeliest class costs most",
        _MATCHER,
        "-log_p_OKE if",
        "log_p_OKE if",
        f"{_MATCHING}test_each_event_goes_to_the_slot_that_says_so",
    ),
    Mutation(
        "distance in time squared",
        _MATCHER,
        "np.abs(slots.time_OK[:, :, None] - time_OE[:, None])",
        "np.square(slots.time_OK[:, :, None] - time_OE[:, None])",
        f"{_MATCHING}test_no_assignment_is_cheaper",
    ),
    Mutation(
        "a bin's time is where it begins",
        _MATCHER,
        "(slots.offset_OKT.argmax(dim=-1) + 0.5) / n_bins",
        "slots.offset_OKT.argmax(dim=-1) / n_bins",
        f"{_MATCHING}test_no_assignment_is_cheaper",
    ),
    Mutation(
        "every event takes the slot it likes best, shared or not",
        _MATCHER,
        "linear_sum_assignment(cost_OKE[example, :, :n_events])",
        "(cost_OKE[example, :, :n_events].argmin(axis=0), range(n_events))",
        f"{_MATCHING}test_no_assignment_is_cheaper",
    ),
    Mutation(
        "the trainer's w_c all 1",
        _TRAINER,
        "Criterion(config.criterion, weight_C,",
        "Criterion(config.criterion, np.ones_like(weight_C),",
        _LOSSES,
    ),
    Mutation(
        "w_c grows with frequency",
        _SAMPLING,
        "counts[list(classes)].mean() / counts",
        "counts / counts[list(classes)].mean()",
        f"{_EXAMPLES}test_inverse_frequency_is_mean_over_count",
    ),
]

LOSSES = [
    Mutation(
        "positive weight on unmatched slots",
        _CRITERION,
        "(self.config.positive_weight - 1) * matched_OK",
        "(self.config.positive_weight - 1) * (1 - matched_OK)",
        f"{_LOSS}test_positive_weight_counts_on_matched_slots_only",
    ),
    Mutation(
        "unmatched slots cost nothing",
        _CRITERION,
        "weight_OK = 1 + (self.config.positive_weight - 1) * matched_OK",
        "weight_OK = self.config.positive_weight * matched_OK",
        f"{_LOSS}test_an_empty_window_costs_objectness_only",
    ),
    Mutation(
        "no label smoothing",
        _CRITERION,
        "label_smoothing=smoothing",
        "label_smoothing=0 * smoothing",
        f"{_FAITHFUL}test_the_class_target_is_smoothed",
    ),
    Mutation("one-hot offset targets", _CRITERION, "n_bins, self.config.sigma_bins)", "n_bins, 0.0)", _LOSSES),
    Mutation(
        "Eq. (6) without the 2",
        _TARGETS,
        "(2 * sigma_bins**2)",
        "sigma_bins**2",
        f"{_LOSS}test_soft_bins_follow_equation_six",
    ),
    Mutation(
        "Eq. (6) not normalised",
        _TARGETS,
        "soft_XT / soft_XT.sum(dim=-1, keepdim=True)",
        "soft_XT",
        f"{_LOSS}test_soft_bins_follow_equation_six",
    ),
    Mutation(
        "a time belongs to the nearest edge's bin",
        _TARGETS,
        "(time_X * n_bins).long()",
        "(time_X * n_bins).round().long()",
        f"{_LOSS}test_time_bins_cover_the_whole_window",
    ),
    Mutation(
        "no focal factor",
        _CRITERION,
        "(1 - torch.exp(-error)) ** self.config.focal_gamma * error",
        "error",
        f"{_FAITHFUL}test_the_focal_loss_is_the_formula",
    ),
    Mutation(
        "the focal factor favours what is easy",
        _CRITERION,
        "(1 - torch.exp(-error)) ** self",
        "torch.exp(-error) ** self",
        f"{_FAITHFUL}test_the_focal_loss_is_the_formula",
    ),
    Mutation(
        "auxiliary loss averaged over its cells",
        _CRITERION,
        "focal.sum(dim=(2, 3)).mean()",
        "focal.mean()",
        f"{_FAITHFUL}test_the_focal_loss_is_the_formula",
    ),
    Mutation(
        "auxiliary labels of the first windows",
        _CRITERION,
        "targets.presence_BWNC[:, -presence_BWNC.shape[1] :]",
        "targets.presence_BWNC[:, : presence_BWNC.shape[1]]",
        _LOSSES,
    ),
    Mutation(
        "auxiliary loss at full weight",
        _CRITERION,
        'self.config.presence_weight * losses["presence"]',
        'losses["presence"]',
        _GRADIENTS,
    ),
    Mutation(
        "matched losses forget how much an example counts",
        _CRITERION,
        "targets.weight_O[assignment.example]",
        "torch.ones_like(targets.weight_O[assignment.example])",
        f"{_LOSS}test_an_example_that_counts_twice_costs_twice_in_every_loss",
    ),
    Mutation(
        "both sources of MixUp at full weight",
        _CRITERION,
        "losses[name] + share * value if name in losses else share * value",
        "losses[name] + value if name in losses else value",
        f"{_FAITHFUL}test_mixup_weighs_the_losses_of_both_sources",
    ),
]

DATA = [
    Mutation(
        "a trainer without MixUp", _TRAINER, "mix(batch, self.config.mixup_alpha, rng)", "mix(batch, 0.0, rng)", _LOSSES
    ),
    Mutation(
        "MixUp with itself",
        _MIXUP,
        "rng.permutation(len(batch.features_BWNF))",
        "np.arange(len(batch.features_BWNF))",
        _LOSSES,
    ),
    Mutation(
        "MixUp with the partner's features and one's own events",
        _MIXUP,
        "batch.targets.select(partner_B)",
        "batch.targets",
        f"{_EXAMPLES}test_mixup_mixes_inputs_and_keeps_both_futures",
    ),
    Mutation(
        "MixUp's share uniform",
        _MIXUP,
        "rng.beta(alpha, alpha)",
        "rng.beta(1.0, 1.0)",
        f"{_FAITHFUL}test_mixup_draws_its_share_from_beta",
    ),
    Mutation(
        "a trainer that draws uniformly",
        _TRAINER,
        "p=weight_A / weight_A.sum()",
        "p=np.full(len(weight_A), 1 / len(weight_A))",
        _LOSSES,
    ),
    Mutation(
        "a rare class's factor",
        _SAMPLING,
        "Action.TACKLE: 4.0",
        "Action.TACKLE: 3.0",
        f"{_FAITHFUL}test_rare_classes_and_their_factors",
    ),
    Mutation(
        "factors averaged over an example's events",
        _SAMPLING,
        ".max(axis=1, initial=1.0)",
        ".mean(axis=1)",
        f"{_EXAMPLES}test_rare_classes_weigh_more",
    ),
    Mutation(
        "drawn more often and counted more, too",
        _SAMPLING,
        "rare_factors(class_OE) / drawn_weight_O",
        "rare_factors(class_OE) * drawn_weight_O",
        f"{_EXAMPLES}test_drawn_times_counted_is_the_factor_at_every_length_of_a_sequence",
    ),
    Mutation(
        "windows shifted although the recipe says not",
        "datasets/examples.py",
        "rng) if self._augment else int(start_ms)",
        "rng)",
        f"{_EXAMPLES}test_without_augmentation_a_sequence_is_as_it_was_recorded",
    ),
]

OPTIMISATION = [
    Mutation("constant learning rate", _LOOP, 'group["lr"] = lr', 'group["lr"] = settings.optim.lr', _WEIGHTS),
    Mutation("no warm-up", _OPTIM, "if epoch < config.warmup_epochs:", "if epoch < 0:", _RATE),
    Mutation("no restarts", _OPTIM, "while since >= length:", "while since >= math.inf:", _RATE),
    Mutation("cycles of one length", _OPTIM, "length *= config.restart_factor", "length *= 1", _RATE),
    Mutation("half a cosine", _OPTIM, "math.pi * since / length", "math.pi * since / length / 2", _RATE),
    Mutation("vectors decayed", _OPTIM, '"weight_decay": 0.0', '"weight_decay": config.weight_decay', _WEIGHTS),
    Mutation(
        "nothing decayed",
        _OPTIM,
        '[p for p in others if p.ndim >= 2], "weight_decay": config.weight_decay',
        '[p for p in others if p.ndim >= 2], "weight_decay": 0.0',
        _WEIGHTS,
    ),
    Mutation(
        "no clipping",
        _LOOP,
        "self.plain_model.parameters(), settings.optim.clip_norm)",
        "self.plain_model.parameters(), 1e9)",
        _GRADIENTS,
    ),
    Mutation("no moving average", _LOOP, "share = 1 - min(decay, (1 + n) / (10 + n))", "share = 1.0", _AVERAGE),
    Mutation(
        "the last weights kept instead of their average",
        _TRAINER,
        "cast(Anticipator, self.average.module)",
        "cast(Anticipator, self.plain_model)",
        _AVERAGE,
    ),
    Mutation(
        "checkpoints chosen by marginal decoding",
        "training/run.py",
        "{own: Decoder(own), ",
        "{",
        "training/test_faithful.py::test_a_recipes_own_decoding_chooses_its_checkpoint",
    ),
]

INFERENCE = [
    Mutation(
        "a threshold on the calibrated objectness",
        _SLOTS,
        "o_OK = predictions.network_objectness_OK",
        "o_OK = predictions.objectness_OK",
        f"{_DECODING}test_the_papers_threshold_is_on_the_networks_own_objectness",
    ),
    Mutation(
        "the two confidences exchanged",
        _SLOTS,
        'if confidence == "product" else',
        'if confidence != "product" else',
        f"{_DECODING}test_the_papers_threshold_is_on_the_networks_own_objectness",
    ),
    Mutation("another tau", _SLOTS, "TAU = 0.3", "TAU = 0.5", f"{_FAITHFUL}test_decoding_as_the_paper_has_it"),
    Mutation(
        "a slot at tau emits",
        _SLOTS,
        "return o_OK > tau,",
        "return o_OK >= tau,",
        f"{_DECODING}test_the_papers_decoding_is_the_papers",
    ),
    Mutation(
        "an anticipation where its bin begins",
        _SLOTS,
        "(np.arange(n_bins) + 0.5) / n_bins",
        "np.arange(n_bins) / n_bins",
        f"{_DECODING}test_the_papers_decoding_is_the_papers",
    ),
    Mutation(
        "the objectness weight put in twice instead of taken out",
        "inference/predictor.py",
        "objectness_OK.float() - math.log(objectness_weight)",
        "objectness_OK.float() + math.log(objectness_weight)",
        "inference/test_predictor.py::test_objectness_is_a_chance_whatever_matched_slots_weighed",
    ),
]

_DEPARTURES = [
    ("eight slots", "model/config.py", "slots: int = 16", "slots: int = 8"),
    ("wider offset bins", "model/config.py", "bins: int = 20", "bins: int = 10"),
    ("a wider offset target", _CRITERION, "sigma_bins: float = 1.0", "sigma_bins: float = 2.0"),
    ("half the width", "model/config.py", "d_model: int = 256", "d_model: int = 128"),
    ("half the decoder", "model/config.py", "decoder_layers: int = 4", "decoder_layers: int = 2"),
    ("a third encoder layer", "model/config.py", "encoder_layers: int = 2", "encoder_layers: int = 3"),
    ("no dropout", "model/config.py", "dropout: float = 0.1", "dropout: float = 0.0"),
    ("no observation head", "model/config.py", 'auxiliary: Auxiliary = "last"', 'auxiliary: Auxiliary = "off"'),
    ("objectness weight 1", _CRITERION, "positive_weight: float = 5.0", "positive_weight: float = 1.0"),
    ("no smoothing by default", _CRITERION, "label_smoothing: float = 0.1", "label_smoothing: float = 0.0"),
    ("the intensity likelihood", _CRITERION, "intensity_weight: float = 0.0", "intensity_weight: float = 1.0"),
    ("no rare-class sampler", _TRAINER, "rare_sampler: bool = True", "rare_sampler: bool = False"),
    ("no MixUp by default", _TRAINER, "mixup_alpha: float = 0.2", "mixup_alpha: float = 0.0"),
    ("Muon", _OPTIM, 'kind: Literal["adamw", "muon"] = "adamw"', 'kind: Literal["adamw", "muon"] = "muon"'),
    ("one cosine cycle", _OPTIM, "restart_epochs: float | None = 10.0", "restart_epochs: float | None = None"),
    ("augmentation, and marginal decoding", "lab/recipes.py", ', augment=False, decoding="paper")', ")"),
]
"""Other settings, most of them the recipe ``feed``'s (docs/paper.md): none may slip into the paper's."""

MUTATIONS = [
    *MODEL,
    *MATCHING,
    *LOSSES,
    *DATA,
    *OPTIMISATION,
    *INFERENCE,
    *(Mutation(f"departure: {name}", *change, _VALUES) for name, *change in _DEPARTURES),
]
