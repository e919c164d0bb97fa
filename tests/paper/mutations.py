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


_CONFIG, _ENCODER, _MEMORY, _SLOTS, _ANTICIPATOR, _TARGETS, _MATCHER, _CRITERION, _SAMPLING, _SCHEDULE, _INFERENCE = (
    f"paper/{name}.py"
    for name in (
        *("config", "encoder", "memory", "slots", "anticipator", "targets", "matcher", "losses"),
        *("sampling", "schedule", "inference"),
    )
)
_VARIANT_CONFIG, _VARIANT_MODEL, _VARIANT_LOSSES = (f"variants/{name}.py" for name in ("config", "model", "losses"))
_TRAINER, _LOOP, _DECODER = "training/trainer.py", "training/loop.py", "decoding/decoder.py"
_LOGITS = "paper/test_golden.py::test_every_logit_in_training_is_the_golden_one"
_LOSSES = "paper/test_golden.py::test_losses_of_six_steps_are_the_golden_ones"
_GRADIENTS = "paper/test_golden.py::test_clipped_gradients_are_the_golden_ones"
_WEIGHTS = "paper/test_golden.py::test_weights_go_where_the_golden_ones_went"
_AVERAGE = "paper/test_golden.py::test_the_moving_average_follows_the_golden_one"
_FAITHFUL, _MODEL, _MATCHING = (f"paper/test_{name}.py::" for name in ("faithful", "model", "matcher"))
_LOSS, _DRAWS, _EMITS = (f"paper/test_{name}.py::" for name in ("losses", "sampling", "inference"))
_RATE = "paper/test_schedule.py::test_the_rate_warms_up_and_restarts"
_VALUES = f"{_FAITHFUL}test_every_value_of_a_faithful_recipe_is_a_statement"
_DEFAULTS = "variants/test_papers_defaults.py::"
_SAME_MODEL = f"{_DEFAULTS}test_the_default_model_is_the_papers_module_for_module"
_SAME_LOSSES = f"{_DEFAULTS}test_default_losses_are_the_papers_loss_for_loss"
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
        _ENCODER,
        "(stays_B11 / (1 - self.drop_path))",
        "stays_B11",
        f"{_MODEL}test_drop_path_drops_whole_branches_and_keeps_the_mean",
    ),
    Mutation(
        "DropPath step by step",
        _ENCODER,
        "torch.rand(len(x_BSD), 1, 1, device",
        "torch.rand(len(x_BSD), x_BSD.shape[1], 1, device",
        f"{_MODEL}test_drop_path_drops_whole_branches_and_keeps_the_mean",
    ),
    Mutation("DropPath in the decoder", _SLOTS, "Residual(config.dropout)", "Residual(config.dropout, 0.1)", _LOGITS),
    Mutation("attention scaled by 1 / d", _ENCODER, "query.shape[-1] ** -0.5", "query.shape[-1] ** -1.0", _LOGITS),
    Mutation(
        "no position embeddings",
        _ENCODER,
        "self.project(features_BWNF.flatten(0, 1)) + self.position_ND",
        "self.project(features_BWNF.flatten(0, 1))",
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
        """        summaries_OWSD = summaries_OWSD * self.importance_W.sigmoid()[:, None, None]
        memory_OMD = run_gru(self.gru, summaries_OWSD.flatten(1, 2))""",
        """        memory_OMD = run_gru(self.gru, summaries_OWSD.flatten(1, 2))
        memory_OMD = memory_OMD * self.importance_W.sigmoid().repeat_interleave(self.n_summaries)[:, None]""",
        f"{_MODEL}test_window_importance_scales_a_window_uniformly",
    ),
    Mutation(
        "a GRU from the latest step to the first",
        _MEMORY,
        "run_gru(self.gru, summaries_OWSD.flatten(1, 2))",
        "run_gru(self.gru, summaries_OWSD.flatten(1, 2).flip(1))",
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
    Mutation("alpha of one half", _SLOTS, "float(config.conditioned)", "0.5 * float(config.conditioned)", _LOGITS),
    Mutation(
        "static queries",
        _SLOTS,
        "slots_OKD + self.alpha * self.condition(memory.context_OD)[:, None]",
        "slots_OKD + 0 * self.condition(memory.context_OD)[:, None]",
        f"{_MODEL}test_queries_follow_the_input_only_when_conditioned",
    ),
    Mutation("slots look at each other before the memory", _SLOTS, _CROSS + _SELF, _SELF + _CROSS, _LOGITS),
    Mutation(
        "post-LN around the decoder's feed-forward",
        _SLOTS,
        "return self.residual(slots_OKD, self.ffn(self.norm_ffn(slots_OKD)))",
        "return self.norm_ffn(self.residual(slots_OKD, self.ffn(slots_OKD)))",
        _LOGITS,
    ),
    Mutation(
        "class losses do not reach the slots",
        _SLOTS,
        "self.action(slots_OKD)",
        "self.action(slots_OKD.detach())",
        _GRADIENTS,
    ),
    Mutation(
        "observation head on the first window",
        _ANTICIPATOR,
        "tokens_BWND[:, self.first_window :]",
        "tokens_BWND[:, : tokens_BWND.shape[1] - self.first_window]",
        _LOGITS,
    ),
]

MATCHING = [
    Mutation(
        "Eq. (5) multiplied",
        _MATCHER,
        "/ self.class_weight_C[class_OE]",
        "* self.class_weight_C[class_OE]",
        f"{_MATCHING}test_every_cost_is_equation_five",
    ),
    Mutation(
        "the likeliest class costs most",
        _MATCHER,
        "(-log_p_OKE + self",
        "(log_p_OKE + self",
        f"{_MATCHING}test_each_event_goes_to_the_slot_that_says_so",
    ),
    Mutation(
        "distance in time squared",
        _MATCHER,
        "np.abs(slots.time_OK[:, :, None] - time_OE[:, None])",
        "np.square(slots.time_OK[:, :, None] - time_OE[:, None])",
        f"{_MATCHING}test_every_cost_is_equation_five",
    ),
    Mutation(
        "a bin's time is where it begins",
        _MATCHER,
        "(slots.offset_OKT.argmax(dim=-1) + 0.5) / n_bins",
        "slots.offset_OKT.argmax(dim=-1) / n_bins",
        f"{_MATCHING}test_the_slots_cross_to_the_host_as_they_are",
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
        "config.criterion, config.model.head, weight_C,",
        "config.criterion, config.model.head, np.ones_like(weight_C),",
        _LOSSES,
    ),
    Mutation(
        "w_c grows with frequency",
        _SAMPLING,
        "counts[list(classes)].mean() / counts",
        "counts / counts[list(classes)].mean()",
        f"{_DRAWS}test_inverse_frequency_is_mean_over_count",
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
        "label_smoothing=self.config.label_smoothing",
        "label_smoothing=0 * self.config.label_smoothing",
        f"{_LOSS}test_the_class_target_is_smoothed",
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
        "(1 - torch.exp(-error_PNC)) ** self.focal_gamma * error_PNC",
        "error_PNC",
        f"{_LOSS}test_the_focal_loss_is_the_formula",
    ),
    Mutation(
        "the focal factor favours what is easy",
        _CRITERION,
        "(1 - torch.exp(-error_PNC)) ** self",
        "torch.exp(-error_PNC) ** self",
        f"{_LOSS}test_the_focal_loss_is_the_formula",
    ),
    Mutation(
        "auxiliary loss averaged over its cells",
        _CRITERION,
        "focal_PNC.sum(dim=(1, 2)).mean()",
        "focal_PNC.mean()",
        f"{_LOSS}test_the_focal_loss_is_the_formula",
    ),
    Mutation(
        "auxiliary labels of the first windows",
        _CRITERION,
        "targets.presence_BWNC[:, -n_observed:]",
        "targets.presence_BWNC[:, :n_observed]",
        _LOSSES,
    ),
    Mutation(
        "auxiliary loss at full weight",
        _CRITERION,
        "(config.presence_weight, PresenceLoss",
        "(1.0, PresenceLoss",
        f"{_LOSS}test_focal_presence_by_hand",
    ),
    Mutation(
        "matched losses forget how much an example counts",
        _CRITERION,
        "targets.weight_O[example_X]",
        "torch.ones_like(targets.weight_O[example_X])",
        f"{_LOSS}test_an_example_that_counts_twice_costs_twice_in_every_loss",
    ),
    Mutation(
        "both sources of MixUp at full weight",
        _CRITERION,
        "summed[name] + share * value if name in summed else share * value",
        "summed[name] + value if name in summed else value",
        f"{_LOSS}test_mixup_weighs_the_losses_of_both_sources",
    ),
]

DATA = [
    Mutation(
        "a trainer without MixUp", _TRAINER, "targets, self.config.mixup_alpha, rng)", "targets, 0.0, rng)", _LOSSES
    ),
    Mutation(
        "MixUp with itself",
        _SAMPLING,
        "rng.permutation(len(features_BWNF))",
        "np.arange(len(features_BWNF))",
        _LOSSES,
    ),
    Mutation(
        "MixUp with the partner's features and one's own events",
        _SAMPLING,
        "targets.select(partner_B)",
        "targets",
        f"{_DRAWS}test_mixup_mixes_inputs_and_keeps_both_futures",
    ),
    Mutation(
        "MixUp's share uniform",
        _SAMPLING,
        "rng.beta(alpha, alpha)",
        "rng.beta(1.0, 1.0)",
        f"{_DRAWS}test_mixup_draws_its_share_from_beta",
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
        f"{_DRAWS}test_rare_classes_and_their_factors",
    ),
    Mutation(
        "factors averaged over an example's events",
        _SAMPLING,
        ".max(axis=1, initial=1.0)",
        ".mean(axis=1)",
        f"{_DRAWS}test_rare_classes_weigh_more",
    ),
    Mutation(
        "drawn more often and counted more, too",
        _SAMPLING,
        "rare_factors(class_OE) / drawn_weight_O",
        "rare_factors(class_OE) * drawn_weight_O",
        f"{_DRAWS}test_drawn_times_weighed_is_the_factor_at_every_length_of_a_sequence",
    ),
    Mutation(
        "windows shifted although the recipe says not",
        "datasets/examples.py",
        "rng) if self._augment else int(start_ms)",
        "rng)",
        f"{_EXAMPLES}test_a_generator_decides_the_batch_and_without_augmentation_nothing_does",
    ),
]

OPTIMISATION = [
    Mutation("constant learning rate", _LOOP, 'group["lr"] = lr', 'group["lr"] = settings.optim.lr', _WEIGHTS),
    Mutation("no warm-up", _SCHEDULE, "if epoch < config.warmup_epochs:", "if epoch < 0:", _RATE),
    Mutation("no restarts", _SCHEDULE, "while since >= length:", "while since >= math.inf:", _RATE),
    Mutation("cycles of one length", _SCHEDULE, "length *= config.restart_factor", "length *= 1", _RATE),
    Mutation("half a cosine", _SCHEDULE, "math.pi * since / length", "math.pi * since / length / 2", _RATE),
    Mutation("vectors decayed", _SCHEDULE, '"weight_decay": 0.0', '"weight_decay": config.weight_decay', _WEIGHTS),
    Mutation(
        "nothing decayed",
        _SCHEDULE,
        '[p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay',
        '[p for p in parameters if p.ndim >= 2], "weight_decay": 0.0',
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
        "paper/test_faithful.py::test_a_recipes_own_decoding_chooses_its_checkpoint",
    ),
]

INFERENCE = [
    Mutation(
        "a threshold on the calibrated objectness",
        _DECODER,
        "anticipate(p.network_objectness_OK,",
        "anticipate(p.objectness_OK,",
        f"{_DECODING}test_the_papers_threshold_is_on_the_networks_own_objectness",
    ),
    Mutation(
        "the two confidences exchanged",
        _INFERENCE,
        'if confidence == "product" else',
        'if confidence != "product" else',
        f"{_EMITS}test_the_class_alone_can_be_the_confidence",
    ),
    Mutation("another tau", _INFERENCE, "TAU = 0.3", "TAU = 0.5", f"{_EMITS}test_taus_default_is_the_papers"),
    Mutation(
        "a slot at tau emits",
        _INFERENCE,
        "emit(o_OK > tau,",
        "emit(o_OK >= tau,",
        f"{_EMITS}test_slots_above_tau_emit_their_whole_class_vector_at_their_bins_centre",
    ),
    Mutation(
        "an anticipation where its bin begins",
        _INFERENCE,
        "(np.arange(n_bins) + 0.5) / n_bins",
        "np.arange(n_bins) / n_bins",
        f"{_EMITS}test_slots_above_tau_emit_their_whole_class_vector_at_their_bins_centre",
    ),
    Mutation(
        "the objectness weight put in twice instead of taken out",
        "inference/predictor.py",
        "objectness_OK.float() - math.log(objectness_weight)",
        "objectness_OK.float() + math.log(objectness_weight)",
        "inference/test_predictor.py::test_objectness_is_a_probability_whatever_matched_slots_weighed",
    ),
]

COMPOSITION = [
    Mutation(
        "a model without its observation head",
        _ANTICIPATOR,
        "observer=ObservationHead(config.d_model, config.n_windows - 1),",
        "observer=None,",
        f"{_MODEL}test_slot_output",
    ),
    Mutation(
        "losses without the observation head's",
        _CRITERION,
        ", (config.presence_weight, PresenceLoss(config.focal_gamma))]",
        "]",
        f"{_LOSS}test_mixup_weighs_the_losses_of_both_sources",
    ),
    Mutation(
        "a criterion that forgets the weights of its losses",
        _CRITERION,
        "total + weight * sum(",
        "total + sum(",
        f"{_LOSS}test_a_criterion_is_the_weighted_sum_of_any_losses",
    ),
    Mutation(
        "FAANTRA's encoder in the default model",
        _VARIANT_MODEL,
        'StepEncoder(config) if config.encoder == "steps" else LocalEncoder(config)',
        'StepEncoder(config) if config.encoder != "steps" else LocalEncoder(config)',
        _SAME_MODEL,
    ),
    Mutation(
        "FAANTRA's regressed times in the default model",
        _VARIANT_MODEL,
        'SlotHeads(config) if config.slot_time == "bins" else RegressionHeads(config)',
        'SlotHeads(config) if config.slot_time != "bins" else RegressionHeads(config)',
        _SAME_MODEL,
    ),
    Mutation(
        "our memory in the default model",
        _VARIANT_MODEL,
        "ObservationMemory(config) if is_papers and not config.memory_tail else",
        "ObservationMemory(config) if is_papers and config.memory_tail else",
        _SAME_MODEL,
    ),
    Mutation(
        "a tail on the default memory",
        _VARIANT_CONFIG,
        "memory_tail: bool = False",
        "memory_tail: bool = True",
        _SAME_MODEL,
    ),
    Mutation(
        "importance on the GRU's outputs by default",
        _VARIANT_CONFIG,
        '"outputs"] = "inputs"',
        '"outputs"] = "outputs"',
        _SAME_MODEL,
    ),
    Mutation(
        "the observation head on every window by default",
        _VARIANT_MODEL,
        '0 if config.auxiliary == "all" else config.n_windows - 1',
        "0",
        _LOGITS,
    ),
    Mutation(
        "as many slots as frames",
        _VARIANT_MODEL,
        "config.slots if has_slots else RASTER_FRAMES",
        "RASTER_FRAMES",
        _LOGITS,
    ),
    Mutation(
        "a mask of classes on the default model",
        _VARIANT_MODEL,
        "if config.classes else head",
        "if True else head",
        _SAME_MODEL,
    ),
    Mutation(
        "our class loss among the default losses",
        _VARIANT_LOSSES,
        "SlotLosses(config) if is_papers else VariantSlotLosses",
        "SlotLosses(config) if not is_papers else VariantSlotLosses",
        _SAME_LOSSES,
    ),
    Mutation(
        "FAANTRA's segmentation among the default losses",
        _VARIANT_LOSSES,
        "PresenceLoss(config.focal_gamma) if is_focal else",
        "PresenceLoss(config.focal_gamma) if not is_focal else",
        _SAME_LOSSES,
    ),
    Mutation(
        "FAANTRA's pairing by default",
        _VARIANT_LOSSES,
        'config.pairing == "sequential"',
        'config.pairing != "sequential"',
        _SAME_LOSSES,
    ),
    Mutation(
        "a matcher without lambda_off",
        _VARIANT_LOSSES,
        "Matcher(class_weight_C, config.offset_weight)",
        "Matcher(class_weight_C, 0.0)",
        _SAME_LOSSES,
    ),
    Mutation(
        "the slot losses at half weight",
        _VARIANT_LOSSES,
        "losses.append((config.matched_weight, slot_losses))",
        "losses.append((0.5 * config.matched_weight, slot_losses))",
        _SAME_LOSSES,
    ),
    Mutation(
        "the likelihood among the default losses",
        _VARIANT_LOSSES,
        "has_slots and config.intensity_weight:",
        "has_slots:",
        _SAME_LOSSES,
    ),
    Mutation(
        "Muon for the default model",
        _VARIANT_LOSSES,
        'if config.kind == "muon" else []',
        "if config.kind else []",
        f"{_DEFAULTS}test_the_default_optimiser_is_the_papers",
    ),
    Mutation(
        "another default where a variant repeats the paper's setting",
        _VARIANT_CONFIG,
        'memory: Literal["gru", "mean", "last"] = "gru"',
        'd_model: int = 64\n    memory: Literal["gru", "mean", "last"] = "gru"',
        f"{_DEFAULTS}test_settings_that_both_have_share_their_defaults",
    ),
]
"""Pieces that composition could leave out or exchange: the default settings of ``variants`` must build the paper."""

_DEPARTURES = [
    ("eight slots", _CONFIG, "slots: int = 16", "slots: int = 8"),
    ("wider offset bins", _CONFIG, "bins: int = 20", "bins: int = 10"),
    ("a wider offset target", _CONFIG, "sigma_bins: float = 1.0", "sigma_bins: float = 2.0"),
    ("half the width", _CONFIG, "d_model: int = 256", "d_model: int = 128"),
    ("half the decoder", _CONFIG, "decoder_layers: int = 4", "decoder_layers: int = 2"),
    ("a third encoder layer", _CONFIG, "encoder_layers: int = 2", "encoder_layers: int = 3"),
    ("no dropout", _CONFIG, "dropout: float = 0.1", "dropout: float = 0.0"),
    ("objectness weight 1", _CONFIG, "positive_weight: float = 5.0", "positive_weight: float = 1.0"),
    ("no smoothing by default", _CONFIG, "label_smoothing: float = 0.1", "label_smoothing: float = 0.0"),
    ("one cosine cycle", _CONFIG, "restart_epochs: float | None = 10.0", "restart_epochs: float | None = None"),
    ("no observation head", _VARIANT_CONFIG, '"all"] = "last"', '"all"] = "off"'),
    ("the intensity likelihood", _VARIANT_CONFIG, "intensity_weight: float = 0.0", "intensity_weight: float = 1.0"),
    ("balanced classes", _VARIANT_CONFIG, "class_balance: bool = False", "class_balance: bool = True"),
    ("Muon", _VARIANT_CONFIG, 'kind: Literal["adamw", "muon"] = "adamw"', 'kind: Literal["adamw", "muon"] = "muon"'),
    ("no rare-class sampler", _TRAINER, "rare_sampler: bool = True", "rare_sampler: bool = False"),
    ("no MixUp by default", _TRAINER, "mixup_alpha: float = 0.2", "mixup_alpha: float = 0.0"),
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
    *COMPOSITION,
    *(Mutation(f"departure: {name}", *change, _VALUES) for name, *change in _DEPARTURES),
]
