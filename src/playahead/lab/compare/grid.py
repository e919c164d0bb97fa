"""A grid: variants of a recipe or weights, seeds, decodings and baselines to compare, from a small YAML file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from playahead.datasets.pasts import PASTS
from playahead.decoding.choosing import Decoding
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights, shipped_grids
from playahead.io.settings import build, read_yaml
from playahead.lab.baselines.fit import BASELINES
from playahead.lab.recipes import recipe
from playahead.training.trainer import TrainConfig

_KEYS = ("about", "recipe", "seeds", "reference", "common", "variants", "decodings", "pasts", "ensembles", "baselines")
_NAMES = {"marginal": Decoding(), "tuned threshold": Decoding("tuned-threshold"), "paper": Decoding("paper")}
_DEFAULTS = ("marginal", "tuned threshold")


@dataclass(frozen=True)
class Variant:
    """One configuration to train with every seed, or weights that are there already.

    Attributes:
        name: how tables call it.
        config: its run, but for the seed; None for weights that are there.
        start: the variant whose trained weights it starts from, with the same seed ("" for none).
        weights: that are there: nothing is trained then, and each file counts as a seed.
    """

    name: str
    config: TrainConfig | None
    start: str = ""
    weights: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Ensemble:
    """Runs whose probabilities are averaged as logits.

    Attributes:
        choices: sets of members; the best on val is taken where there are several. A member is a variant (all its
            seeds) or one run of it, as "slots/0".
    """

    choices: tuple[tuple[str, ...], ...]

    @property
    def variants(self) -> set[str]:
        """Names of all variants that may be in it."""
        return {member.rsplit("/", 1)[0] for members in self.choices for member in members}


@dataclass(frozen=True)
class Grid:
    """What to compare.

    Attributes:
        name, about: of the grid.
        seeds: of every variant.
        reference: the variant and the decoding (or the past) that all others are compared with.
        variants: by name, those that others start from first.
        decodings: by name.
        pasts: of ``datasets.pasts.PASTS``: rows are then variants under each of these, with the first decoding.
        ensembles: by name.
        baselines: of ``BASELINES``.
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
        """Of a variant's runs; weights that are there are numbered."""
        return _seeds_of(self.variants[name], self.seeds)

    def candidates(self, ensemble: Ensemble) -> list[list[tuple[str, int]]]:
        """(variant, seed) of each set's runs."""
        return [[run for member in members for run in self._runs_of(member)] for members in ensemble.choices]

    def _runs_of(self, member: str) -> list[tuple[str, int]]:
        variant, slash, seed = member.rpartition("/")
        return [(variant, int(seed))] if slash else [(member, seed) for seed in self.seeds_of(member)]


def _seeds_of(variant: Variant, seeds: Sequence[int]) -> Sequence[int]:
    return seeds if variant.config else range(len(variant.weights))


def open_grid(asked: str, reference: str = "") -> Grid:
    """A shipped grid by its name, or a YAML file; with another variant as the reference if one is named."""
    return referred(read_grid(asked), reference) if reference else read_grid(asked)


def read_grid(asked: str) -> Grid:
    """A shipped grid by its name, or a YAML file.

    Raises:
        InputError: no such grid, or something in it is wrong: which entry, and why.
    """
    path = shipped_grids().get(asked, Path(asked))
    if not path.exists():
        raise InputError(asked, "no such grid", f"a YAML file, or one of {', '.join(shipped_grids())}")
    written = read_yaml(path)
    if not isinstance(written, dict) or not written.get("variants"):
        raise InputError(path, "names no variants")
    try:
        grid = _grid(path.stem, written, path.parent)
        _require_equal_budgets(grid)
    except InputError as reason:
        raise InputError(path, reason) from None
    return grid


def _grid(name: str, written: Mapping[str, Any], folder: Path) -> Grid:
    _require_known(written, _KEYS, "the grid")
    seeds = written.get("seeds", [0, 1, 2])
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise InputError("seeds", f"{seeds!r} is not a list of whole numbers")
    _different(seeds, "seeds")
    variants = _variants(written, folder)
    asked = _mapping(written, "decodings") or dict.fromkeys(_DEFAULTS)
    decodings = {name: _decoding(name, value) for name, value in asked.items()}
    ensembles = {key: _ensemble(key, value, variants, seeds) for key, value in _mapping(written, "ensembles").items()}
    baselines = tuple(_names(written["baselines"], "baselines")) if written.get("baselines") else ()
    _require_known(baselines, BASELINES, "baselines")
    _require_apart([*variants, *ensembles, *baselines])
    pasts = tuple(_names(written["pasts"], "pasts")) if written.get("pasts") else ()
    _require_known(pasts, list(PASTS), "pasts")
    read = pasts or tuple(decodings)
    first = [next(iter(variants)), read[0]]
    reference = written.get("reference", first)
    if not isinstance(reference, list) or reference not in [[v, r] for v in variants for r in read]:
        raise InputError("reference", f"{reference!r} is not a variant and a decoding (or past), such as {first}")
    return Grid(
        name=name,
        about=" ".join(str(written.get("about", "")).split()),
        seeds=tuple(dict.fromkeys(seeds)),
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
        if not isinstance(changes, dict | None):
            raise InputError(f"variant {name!r}", f"{changes!r} is not a mapping of settings")
        if changes and "weights" in changes:
            variants[name] = _given(name, changes, folder)
            continue
        changes = {**common, **(changes or {})}
        start = str(changes.pop("start", ""))
        if start and start not in variants:
            raise InputError(f"variant {name!r}", f"starts from {start!r}, which does not stand before it")
        if start and variants[start].config is None:
            raise InputError(f"variant {name!r}", f"starts from {start!r}, which is not trained here")
        try:
            config = changed(recipe(str(changes.pop("recipe")), TrainConfig), changes)
        except InputError as reason:
            raise InputError(f"variant {name!r}", reason) from None
        variants[name] = Variant(name, config, start)
    return variants


def _given(name: str, written: Mapping[str, Any], folder: Path) -> Variant:
    """A variant of weights that are there: "packaged", a file beside the grid, or a list of files."""
    _require_known(written, ["weights"], f"variant {name!r}")
    asked = written["weights"] if isinstance(written["weights"], list) else [written["weights"]]
    paths = tuple(packaged_weights() if each == "packaged" else folder / str(each) for each in asked)
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        raise InputError(f"variant {name!r}", f"{missing[0] if missing else 'weights'}: no such file")
    return Variant(name, None, weights=paths)


def changed(config: TrainConfig, changes: Mapping[str, Any]) -> TrainConfig:
    """A run with settings changed, as ``{"model.slots": 8}``; types are checked.

    Raises:
        InputError: an unknown setting, or a value that cannot be.
    """
    values = asdict(config)
    for dotted, value in changes.items():
        place, *inside = str(dotted).split(".")
        holder: Any = values
        while inside:
            holder, place, inside = holder.get(place), inside[0], inside[1:]
            if not isinstance(holder, dict):
                raise InputError(dotted, "no such setting")
        if place not in holder:
            raise InputError(dotted, "no such setting")
        holder[place] = value
    return build(TrainConfig, values, "settings")


def _decoding(name: str, value: object) -> Decoding:
    try:
        return Decoding(**value) if value else _NAMES[name]  # type: ignore[arg-type]
    except (TypeError, KeyError, ValueError):
        known = ", ".join(field.name for field in fields(Decoding))
        raise InputError(f"decoding {name!r}", f"{value!r} is not made of {known}") from None


def _ensemble(name: str, value: object, variants: Mapping[str, Variant], seeds: Sequence[int]) -> Ensemble:
    """A list of members, or ``{choose: [members, members ...]}``."""
    where = f"ensemble {name!r}"
    written = value.get("choose") if isinstance(value, dict) else [value]
    if not isinstance(written, list) or not written:
        raise InputError(where, f"{value!r} is neither a list of members nor {{choose: [[...], [...]]}}")
    found = Ensemble(tuple(tuple(_names(members, where)) for members in written))
    known = [*variants, *(f"{variant}/{seed}" for variant in variants for seed in _seeds_of(variants[variant], seeds))]
    _require_known([member for members in found.choices for member in members], known, where)
    return found


def _mapping(written: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = written.get(key) or {}
    if not isinstance(value, dict):
        raise InputError(key, f"{value!r} is not a mapping")
    found = {str(name): inside for name, inside in value.items()}
    if len(found) < len(value):  # 1 and "1"
        raise InputError(key, f"{', '.join(map(repr, value))} are not names that differ")
    return found


def _names(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not value:
        raise InputError(where, f"{value!r} is not a list of names")
    return _different([str(name) for name in value], where)


def _different(listed: list, where: str) -> list:
    if twice := [each for each in listed if listed.count(each) > 1]:
        raise InputError(where, f"{twice[0]!r} is listed twice")
    return listed


def plain_name(name: str) -> str:
    """A name as a folder can have it: whatever else is in it is a dash."""
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in name)


def _require_apart(names: Sequence[str]) -> None:
    """No two rows have one name, or one folder."""
    folders = [plain_name(name) for name in names]
    twice = next((name for name, folder in zip(names, folders, strict=True) if folders.count(folder) > 1), None)
    if twice is not None:
        raise InputError("names", f"{twice!r} stands for two rows, or for two folders")


def _require_known(found: Mapping | Sequence, known: Sequence[str], where: str) -> None:
    unknown = [str(key) for key in found if key not in known]
    if unknown:
        raise InputError(where, f"{', '.join(unknown)} is not one of {', '.join(known)}")


def _require_equal_budgets(grid: Grid) -> None:
    """Every variant has trained on as many examples as the others, unless another starts from it."""
    begun = {variant.start for variant in grid.variants.values()}
    trained = [name for name, variant in grid.variants.items() if variant.config and name not in begun]
    budgets = {name: grid.budget_of(name) for name in trained}
    if len(set(budgets.values())) > 1:
        listed = ", ".join(f"{name} {examples:,}" for name, examples in budgets.items())
        raise InputError("variants", f"train on unequal numbers of examples ({listed})", "give all the same")


def narrowed(grid: Grid, names: Sequence[str]) -> Grid:
    """The grid with these variants alone (and those that they start from); the reference stays.

    Raises:
        InputError: a name that is not in the grid.
    """
    _require_known(names, list(grid.variants), "--only")
    kept = {*names, grid.reference[0]}
    for name in list(kept):
        while name in grid.variants and grid.variants[name].start:
            name = grid.variants[name].start
            kept.add(name)
    ensembles = {name: found for name, found in grid.ensembles.items() if kept >= found.variants}
    return replace(grid, variants={n: v for n, v in grid.variants.items() if n in kept}, ensembles=ensembles)


def referred(grid: Grid, variant: str) -> Grid:
    """The grid with another variant, read by the same decoding, as the reference.

    Raises:
        InputError: it has no such variant.
    """
    if variant not in grid.variants:
        raise InputError("--reference", f"{variant!r} is not one of {', '.join(grid.variants)}")
    return replace(grid, reference=(variant, grid.reference[1]))
