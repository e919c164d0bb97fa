"""A grid: variants of a recipe or weights, seeds, decodings and baselines to compare, from a small YAML file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from playahead.datasets.pasts import PASTS
from playahead.decoding.choosing import Decoding
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights, shipped_grids
from playahead.io.settings import build, read_yaml
from playahead.lab.baselines import BASELINES
from playahead.lab.recipes import recipe
from playahead.training.trainer import TrainConfig

_KEYS = ("about", "recipe", "seeds", "reference", "common", "variants", "decodings", "pasts", "ensembles", "baselines")
_DECODINGS = {"marginal": Decoding(), "tuned threshold": Decoding("tuned-threshold"), "paper": Decoding("paper")}


Ensemble = tuple[tuple[str, ...], ...]
"""Runs whose probabilities are averaged as logits: sets of members, of which the best on val is taken.

A member is a variant (all its seeds) or one run of it, as "slots/0".
"""


@dataclass(frozen=True)
class Variant:
    """One configuration to train with every seed, or existing weights, of which each file counts as a seed.

    Attributes:
        start: variant whose trained weights it starts from, with the same seed ("" for none).
    """

    config: TrainConfig | None
    start: str = ""
    weights: tuple[Path, ...] = ()

    def seeds(self, of_grid: Sequence[int]) -> Sequence[int]:
        """Seeds of its runs; existing weights are numbered."""
        return of_grid if self.config else range(len(self.weights))


@dataclass(frozen=True)
class Grid:
    """Variants, decodings and baselines to compare.

    Attributes:
        about: what is compared, in a sentence.
        reference: variant and decoding (or past) that all others are compared with.
        variants: variants by name, those that others start from first.
        pasts: names of ``datasets.pasts.PASTS``; rows are then variants under each of these, with the first decoding.
        baselines: names of ``BASELINES``.
    """

    name: str
    about: str
    seeds: tuple[int, ...]
    reference: tuple[str, str]
    variants: dict[str, Variant]
    decodings: dict[str, Decoding]
    pasts: tuple[str, ...]
    ensembles: dict[str, Ensemble]
    baselines: tuple[str, ...]

    def budget_of(self, name: str) -> int:
        """Examples that a variant's weights are trained on here, from the first phase on."""
        variant = self.variants[name]
        trained = variant.config.examples_seen if variant.config else 0
        return trained + (self.budget_of(variant.start) if variant.start else 0)

    def seeds_of(self, name: str) -> Sequence[int]:
        """Seeds of a variant's runs."""
        return self.variants[name].seeds(self.seeds)

    def candidates(self, ensemble: Ensemble) -> list[list[tuple[str, int]]]:
        """(variant, seed) of each set's runs."""

        def runs_of(member: str) -> list[tuple[str, int]]:
            variant, slash, seed = member.rpartition("/")
            return [(variant, int(seed))] if slash else [(member, seed) for seed in self.seeds_of(member)]

        return [[run for member in members for run in runs_of(member)] for members in ensemble]


def open_grid(name: str, reference: str = "") -> Grid:
    """Open a shipped grid by its name, or a YAML file.

    Args:
        name: name of a shipped grid, or path of a file.
        reference: variant to compare with instead of the grid's own, under the same decoding.

    Raises:
        InputError: no such grid or reference, or an entry is wrong: which one, and why.
    """
    path = shipped_grids().get(name, Path(name))
    if not path.exists():
        raise InputError(name, "no such grid", f"a YAML file, or one of {', '.join(shipped_grids())}")
    written = read_yaml(path)
    if not isinstance(written, dict) or not written.get("variants"):
        raise InputError(path, "names no variants")
    try:
        grid = _grid(path.stem, written, path.parent)
        # Every variant trains on as many examples as the others, unless another starts from it.
        starts = {variant.start for variant in grid.variants.values()}
        trained = [name for name, variant in grid.variants.items() if variant.config and name not in starts]
        budgets = {name: grid.budget_of(name) for name in trained}
        if len(set(budgets.values())) > 1:
            listed = ", ".join(f"{name} {examples:,}" for name, examples in budgets.items())
            raise InputError("variants", f"train on unequal numbers of examples ({listed})", "give all the same")
    except InputError as reason:
        raise InputError(path, reason) from None
    if reference and reference not in grid.variants:
        raise InputError("reference", f"{reference!r} is not one of {', '.join(grid.variants)}")
    return replace(grid, reference=(reference, grid.reference[1])) if reference else grid


def _grid(name: str, written: Mapping[str, Any], folder: Path) -> Grid:
    _require_known(written, _KEYS, "the grid")
    seeds = written.get("seeds", [0, 1, 2])
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise InputError("seeds", f"{seeds!r} is not a list of whole numbers")
    _require_distinct(seeds, "seeds")
    variants = _variants(written, folder)
    chosen = _mapping(written, "decodings") or dict.fromkeys(("marginal", "tuned threshold"))
    decodings = {key: _decoding(key, value) for key, value in chosen.items()}
    ensembles = {key: _ensemble(key, value, variants, seeds) for key, value in _mapping(written, "ensembles").items()}
    baselines = _names(written["baselines"], "baselines", BASELINES) if written.get("baselines") else ()
    pasts = _names(written["pasts"], "pasts", list(PASTS)) if written.get("pasts") else ()
    # No two rows have one name, or one folder.
    names = [*variants, *ensembles, *baselines]
    folders = [plain_name(name) for name in names]
    if twice := [name for name, its in zip(names, folders, strict=True) if folders.count(its) > 1]:
        raise InputError("names", f"{twice[0]!r} stands for two rows, or for two folders")
    columns = pasts or tuple(decodings)
    first = [next(iter(variants)), columns[0]]
    reference = written.get("reference", first)
    if not isinstance(reference, list) or reference not in [[v, c] for v in variants for c in columns]:
        raise InputError("reference", f"{reference!r} is not a variant and a decoding (or past), such as {first}")
    return Grid(
        name=name,
        about=" ".join(str(written.get("about", "")).split()),
        seeds=tuple(seeds),
        reference=(reference[0], reference[1]),
        variants=variants,
        decodings=decodings,
        pasts=pasts,
        ensembles=ensembles,
        baselines=baselines,
    )


def _variants(written: Mapping[str, Any], folder: Path) -> dict[str, Variant]:
    common = {"recipe": written.get("recipe", "feed"), **_mapping(written, "common")}
    variants: dict[str, Variant] = {}
    for name, changes in _mapping(written, "variants").items():
        where = f"variant {name!r}"
        if not isinstance(changes, dict | None):
            raise InputError(where, f"{changes!r} is not a mapping of settings")
        if changes and "weights" in changes:
            _require_known(changes, ["weights"], where)
            files = changes["weights"] if isinstance(changes["weights"], list) else [changes["weights"]]
            paths = tuple(packaged_weights() if file == "packaged" else folder / str(file) for file in files)
            missing = [path for path in paths if not path.is_file()]
            if missing or not paths:
                raise InputError(where, f"{missing[0] if missing else 'weights'}: no such file")
            variants[name] = Variant(None, weights=paths)
            continue
        changes = {**common, **(changes or {})}
        start = str(changes.pop("start", ""))
        if start and start not in variants:
            raise InputError(where, f"starts from {start!r}, which does not stand before it")
        if start and variants[start].config is None:
            raise InputError(where, f"starts from {start!r}, which is not trained here")
        try:
            config = changed(recipe(str(changes.pop("recipe")), TrainConfig), changes)
        except InputError as reason:
            raise InputError(where, reason) from None
        variants[name] = Variant(config, start)
    return variants


def changed(config: TrainConfig, changes: Mapping[str, Any]) -> TrainConfig:
    """A configuration with other settings, as ``{"model.slots": 8}``; names and types are checked."""
    values = asdict(config)
    for dotted, value in changes.items():
        *parents, name = str(dotted).split(".")
        holder: Any = values
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or name not in holder:
            raise InputError(dotted, "no such setting")
        holder[name] = value
    return build(TrainConfig, values, "settings")


def _decoding(name: str, value: object) -> Decoding:
    try:
        return Decoding(**value) if value else _DECODINGS[name]  # type: ignore[arg-type]
    except (TypeError, KeyError, ValueError):
        known = ", ".join(field.name for field in fields(Decoding))
        raise InputError(f"decoding {name!r}", f"{value!r} is not made of {known}") from None


def _ensemble(name: str, value: object, variants: Mapping[str, Variant], seeds: Sequence[int]) -> Ensemble:
    """Ensemble of a list of members, or of ``{choose: [members, members ...]}``."""
    where = f"ensemble {name!r}"
    choices = value.get("choose") if isinstance(value, dict) else [value]
    if not isinstance(choices, list) or not choices:
        raise InputError(where, f"{value!r} is neither a list of members nor {{choose: [[...], [...]]}}")
    known = [*variants, *(f"{name}/{seed}" for name, variant in variants.items() for seed in variant.seeds(seeds))]
    return tuple(_names(members, where, known) for members in choices)


def _mapping(written: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = written.get(key) or {}
    if not isinstance(value, dict):
        raise InputError(key, f"{value!r} is not a mapping")
    named = {str(name): inside for name, inside in value.items()}
    if len(named) < len(value):  # 1 and "1"
        raise InputError(key, f"{', '.join(map(repr, value))} are not names that differ")
    return named


def _names(value: object, where: str, known: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(where, f"{value!r} is not a list of names")
    names = tuple(str(name) for name in value)
    _require_distinct(names, where)
    _require_known(names, known, where)
    return names


def _require_distinct(listed: Sequence[object], where: str) -> None:
    if twice := [each for each in listed if listed.count(each) > 1]:
        raise InputError(where, f"{twice[0]!r} is listed twice")


def _require_known(names: Iterable[object], known: Sequence[str], where: str) -> None:
    if unknown := [str(name) for name in names if name not in known]:
        raise InputError(where, f"{', '.join(unknown)} is not one of {', '.join(known)}")


def plain_name(name: str) -> str:
    """A name as a folder can have it: other characters than letters, digits, dots and underscores are dashes."""
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in name)


def narrowed(grid: Grid, names: Sequence[str]) -> Grid:
    """The grid with these variants, those that they start from, and the reference."""
    _require_known(names, list(grid.variants), "CompareConfig.only")
    chosen = {*names, grid.reference[0]}
    for name in list(chosen):
        while name in grid.variants and grid.variants[name].start:
            name = grid.variants[name].start
            chosen.add(name)
    ensembles = {
        name: choices
        for name, choices in grid.ensembles.items()
        if all(member.rsplit("/", 1)[0] in chosen for members in choices for member in members)
    }
    return replace(grid, variants={n: v for n, v in grid.variants.items() if n in chosen}, ensembles=ensembles)
