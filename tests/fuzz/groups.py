"""What is damaged, and what reads it. A group makes one good input, then as many bad ones as are asked for."""

# ruff: noqa: RUF012

import gzip
import io
import json
import re
import warnings
import zipfile
from dataclasses import asdict
from itertools import islice, product
from pathlib import Path

import numpy as np
import torch
import yaml

from playahead.backbone.checkpoint import load_backbone, read_published
from playahead.backbone.network import Backbone, BackboneConfig
from playahead.evaluation.scores import evaluate_frame_case
from playahead.evaluation.submission import RESULTS_NAME, check_submission, frame_table, read_results
from playahead.features.store import FeatureStore, JournalWriter, StoreFacts
from playahead.inference.predictor import Predictor
from playahead.inference.video import facts_of
from playahead.io.errors import InputError
from playahead.io.files import packaged_weights
from playahead.io.tensors import write_tensors
from playahead.lab.compare.grid import open_grid
from playahead.lab.simulation.plays import simulate_half
from playahead.live.page.page import recognise, write_page
from playahead.live.session.lines import Line, of_growing_file
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.sources.feeds import read_feed
from playahead.sources.soccernet import cut_into_clips, read_baa_split, read_bas_match
from playahead.variants.config import AnticipatorConfig
from playahead.variants.model import build
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from tests.fuzz.mutations import damaged_bytes, odd_document, odd_text
from tests.sources.test_skillcorner import csv_of, possession
from tests.support.provider_files import (
    METRICA,
    SPORTEC,
    STATSBOMB,
    datafactory_entry,
    impect_event,
    impect_pass,
    metrica_csv,
    metrica_json,
    opta_pass,
    pff_row,
)
from tests.support.video import flat, write


class Group:
    """One kind of input: ``damage`` makes a bad one, ``use`` reads it as the product does.

    Anything but a ``PlayaheadError`` is a fault; ``silent`` says what changed its meaning without a word.
    """

    suffix = ".json"
    document: object = None

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng = folder, rng
        self.path = folder / f"input{self.suffix}"

    def damage(self) -> bytes:
        return odd_text(self.document, self.rng)

    def use(self, path: Path) -> object:
        raise NotImplementedError

    def silent(self, result) -> str:
        return ""

    def one_of(self, choices):
        return choices[int(self.rng.integers(0, len(choices)))]


def packed(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


SEEN = [{"label": "PASS", "position": str(t), "team": "left"} for t in (1000, 29_000)]
COMING = [{"label": "SHOT", "position": 31_000, "visibility": "visible"}]
CLIP = {"observation": SEEN, "anticipation": COMING}


class Labels(Group):
    document = {"videos": [{"path": f"clip_{n}/224p.mp4", "annotations": CLIP} for n in (1, 2)]}

    def use(self, path: Path) -> object:
        audit_splits({"train": read_baa_split(path, keep_going=True)})
        return read_baa_split(path)

    def silent(self, result) -> str:
        odd = [clip.name for clip in result.clips if not clip.name.isprintable() or ".." in clip.video]
        return f"a clip named {odd[0]!r}" if odd else ""


class SpottingLabels(Group):
    document = {
        "annotations": [
            {"gameTime": f"{1 + n // 3} - 00:{10 + n}", "label": "DRIVE", "position": str(1000 * (10 + n))}
            for n in range(6)
        ]
    }

    def use(self, path: Path) -> object:
        match = read_bas_match(path)
        for events in match.values():
            cut_into_clips(events, 60_000, 5_000)
        return match

    def silent(self, result) -> str:
        late = [event for events in result.values() for event in events if event.position_ms > 3 * 3_600_000]
        return "an action after three hours" if late else ""


class Wyscout(Group):
    places = [{"x": 40, "y": 50}, {"x": 60, "y": 50}]
    about = {"matchId": 7, "playerId": 5, "matchPeriod": "1H", "eventName": "Pass", "subEventName": "Simple pass"}
    about |= {"tags": [{"id": 1801}], "positions": places}
    document = [about | {"id": n, "teamId": 1 + n % 2, "eventSec": 2.0 * n} for about, n in product([about], range(6))]

    def use(self, path: Path) -> object:
        return read_feed(path)


class OtherFeeds(Group):
    """Spotters' results, OSL JSON, SPADL and the other providers' matches; some of them gzipped."""

    def damage(self) -> bytes:
        document = self.one_of(FEEDS)
        if isinstance(document, str):  # XML, CSV
            return damaged_bytes(document.encode(), self.rng)
        if self.rng.random() < 0.2:
            return damaged_bytes(gzip.compress(json.dumps(document).encode()), self.rng)
        return odd_text(document, self.rng)

    def use(self, path: Path) -> object:
        return read_feed(path, drop_bad_rows=bool(self.rng.random() < 0.5))

    def silent(self, result) -> str:
        return "" if all(len(half) for half in result) else "an empty half"


OPTA = [said | {"qualifier": [{"qualifierId": 140, "value": "60"}]} for said in map(opta_pass, range(5, 45, 5))]


def _feeds() -> list[object]:
    seconds = range(10, 40, 5)
    said = {"label": "PASS", "confidence": "0.4"}
    spotted = [said | {"gameTime": f"{1 + n % 2} - {45 * (n % 2)}:{n}", "position": str(1000 * n)} for n in seconds]
    marks = [{"label": "SHOT", "position_ms": 1000 * n, "gameTime": f"2 - 00:{n}", "score": 0.5} for n in seconds]
    osl = {"data": [{"id": "a", "inputs": [{"type": "video", "path": "a.mp4"}], "events": marks}]}
    about = {"game_id": 1, "period_id": 1, "team_id": 1, "player_id": 2, "type_id": 0, "result_id": 1, "bodypart_id": 0}
    places = dict.fromkeys(("start_x", "start_y", "end_x", "end_y"), 30.5)
    spadl = [about | places | {"time_seconds": float(n)} for n in seconds]
    columns = {name: {str(n): action[name] for n, action in enumerate(spadl)} for name in spadl[0]}
    kind, period = {"displayName": "Pass"}, {"value": 1}
    events = [
        {"minute": 0, "second": n, "teamId": 1, "x": 5, "y": 5, "endX": 9, "endY": 9, "type": kind, "period": period,
         "outcomeType": {"displayName": "Successful"}, "qualifiers": [{"type": {"displayName": "ThrowIn"}}]}
        for n in seconds
    ]  # fmt: skip
    whoscored = {"matchId": 3, "matchCentreData": {"events": events}}
    teams = [{"id": "101", "position": "home"}, {"id": "102", "position": "away"}]
    ma3 = {"matchInfo": {"id": "9", "contestant": teams}, "liveData": {"event": OPTA}}
    passes = {str(n): datafactory_entry(1, n) for n in seconds}
    datafactory = {"match": {"matchId": 1, "homeTeamId": 1, "awayTeamId": 2}, "incidences": {"correctPasses": passes}}
    sportec = f"<PutDataRequest>{''.join(SPORTEC)}</PutDataRequest>"
    tracked = [possession(f"00:{n}.0", f"00:{n + 2}.5", 1 + n % 2) for n in seconds]
    others = [
        csv_of(*tracked),
        STATSBOMB,
        ma3,
        datafactory,
        {"data": metrica_json(METRICA)},
        metrica_csv(METRICA),
        sportec,
        [pff_row(0, game="FIRSTKICKOFF"), *(pff_row(n, "PA", 1 + n // 5 % 2, highPointType="A") for n in seconds)],
        [impect_event(n, "PASS", 1 + n // 5 % 2, **impect_pass()) for n in seconds],
    ]
    opta = "".join(
        f'<Event type_id="1" period_id="1" min="0" sec="{n}" team_id="{101 + n % 2}" x="5" y="6" '
        f'timestamp="2024-03-10T15:00:{n}.5"><Q qualifier_id="140" value="{n}"/></Event>'
        for n in seconds
    )
    return [
        csv_of(*tracked),
        {"predictions": spotted},
        osl,
        spadl,
        columns,
        whoscored,
        *others,
        f"<Games><Game>{opta}</Game></Games>",
    ]


FEEDS = _feeds()


class Tables(Group):
    suffix = ".npz"

    def damage(self) -> bytes:
        write_feed_table(self.path, [simulate_half(0, minutes=1)])
        if self.rng.random() < 0.5:
            return damaged_bytes(self.path.read_bytes(), self.rng)
        with np.load(self.path) as table:
            columns = dict(table)
        name = str(self.rng.choice(list(columns)))
        column = columns[name].astype(np.int64)
        place = int(self.rng.integers(0, len(column)))
        column[place] = self.rng.choice([-1, 256, 65_537, 2**31 - 1, 2**31, 10**8, 10**12, 10**18])
        odd = [column, column.astype(float), column[:-1], column[None], np.zeros(0, np.int64)]
        odd += [column.astype(str), column.astype(complex)]
        columns[name] = self.one_of(odd) if self.rng.random() < 0.5 else column
        if self.rng.random() < 0.1:
            del columns[name]
        return packed(**columns)

    def use(self, path: Path) -> object:
        halves = read_feed_table(path)
        write_feed_table(self.folder / "again.npz", halves)
        return halves, read_feed_table(self.folder / "again.npz")

    def silent(self, result) -> str:
        names = ("match", "half", "t_ms", "code", "team", "x", "y", "setpiece", "delay_ms")
        pairs = product(zip(*result, strict=True), names)
        return (
            "" if all(np.array_equal(getattr(a, n), getattr(b, n)) for (a, b), n in pairs) else "values wrapped around"
        )


class Submissions(Group):
    entry = {"label": "PASS", "position": 31_000, "confidence": 0.5, "confidence_vect": [0.5, 0.5] + [0.0] * 9}
    about = {"observation": [], "anticipation": [entry]}
    document = {"videos": [{"path": "clip_1", "annotations": about}, {"path": "clip_2", "annotations": about}]}

    def use(self, path: Path) -> object:
        check_submission(path, ["clip_1", "clip_2"])
        frame_table([], read_results(path), path)
        return read_results(path)

    def silent(self, result) -> str:
        odd = [name for name in result if not name.isprintable() or name == "None"]
        return f"a clip named {odd[0]!r}" if odd else ""


class Zips(Submissions):
    suffix = ".zip"

    def zipped(self, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr(name, content)
            if self.rng.random() < 0.2:
                archive.writestr("__MACOSX/._x", b"x")
        return buffer.getvalue()

    def damage(self) -> bytes:
        if self.rng.random() < 0.03:
            return self.zipped(RESULTS_NAME, bytes(300_000_000))
        method = self.one_of([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        folder = self.one_of([""] * 6 + ["folder/", "../", "/"])
        content = self.zipped(folder + RESULTS_NAME, super().damage(), method)
        return content if self.rng.random() < 0.3 else damaged_bytes(content, self.rng)


class FrameCases(Group):
    suffix = ".npz"

    def damage(self) -> bytes:
        n = int(self.rng.integers(0, 3))
        labels, visibility = np.full((n, 32), 255, np.int32), np.zeros((n, 32), np.int32)
        scores = np.zeros((n, 32, 11), np.float32)
        if n and self.rng.random() < 0.7:
            labels[0, 3], visibility[0, 3], scores[0, 3, 1] = 1, 1, 0.5
        if n and self.rng.random() < 0.5:
            scores[0, 0, 1] = self.rng.choice([np.nan, np.inf, -1, 1e30])
        arrays = {"v0_target_labels": labels, "v0_target_visibility": visibility, "v0_pred_scores": scores}
        content = packed(**arrays, n_videos=self.rng.choice([0, 1, 1, 1, 2, 10**9]))
        return content if self.rng.random() < 0.5 else damaged_bytes(content, self.rng)

    def use(self, path: Path) -> object:
        found = evaluate_frame_case(path)
        return found.average, found.exact


class Weights(Group):
    suffix = ".safetensors"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        sizes = {"d_model": 8, "heads": 2, "ffn_dim": 8, "encoder_layers": 1, "decoder_layers": 1, "slots": 2}
        config = AnticipatorConfig(feature_dim=63, **sizes)
        self.about: dict = {"model": asdict(config), "features": {"kind": "feed", "names": ["a"]}}
        self.about |= {"decoders": {"marginal": {"kind": "marginal"}}}
        self.tensors = build(config).state_dict()

    def written(self, tensors, about) -> bytes:
        try:
            write_tensors(self.path, tensors, about if isinstance(about, dict) else {"model": about})
        except (TypeError, ValueError, UnicodeEncodeError):
            return b""
        return self.path.read_bytes()

    def damage(self) -> bytes:
        tensors, about = dict(self.tensors), self.about
        kind = int(self.rng.integers(0, 4))
        name = str(self.rng.choice(list(tensors)))
        if kind == 0:
            about = odd_document(about, self.rng)
        elif kind == 1:
            value = tensors[name]
            tensors[name] = self.one_of([value.double(), value.half(), value * np.nan, torch.zeros(3), value[None]])
        elif kind == 2:
            size = self.one_of(["d_model", "encoder_layers", "slots", "bins"])
            about = {**about, "model": {**about["model"], size: 10 ** int(self.rng.integers(3, 12))}}
        content = self.written(tensors, about)
        return damaged_bytes(content, self.rng) if kind == 3 else content

    def use(self, path: Path) -> object:
        predictor = Predictor.open(path)
        predictor.decoder("marginal")
        return predictor

    def silent(self, result) -> str:
        values = result.network.state_dict().values()
        fine = all(value.dtype == torch.float32 and torch.isfinite(value).all() for value in values)
        return "" if fine else "NaN or another dtype"


class VideoWeights(Weights):
    """The description of the features that weights were trained on."""

    facts = {"kind": "video"} | asdict(StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 63))

    def damage(self) -> bytes:
        return self.written(self.tensors, {**self.about, "features": odd_document(self.facts, self.rng)})

    def use(self, path: Path) -> object:
        predictor = super().use(path)
        InputSize(*facts_of(predictor).input_size)
        return predictor


class Backbones(Weights):
    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        Group.__init__(self, folder, rng)
        backbone, provenance = load_backbone(packaged_weights("simulated-backbone"))
        self.about = {"backbone": asdict(backbone.config), "provenance": dict(provenance)}
        self.tensors = backbone.state_dict()

    def damage(self) -> bytes:
        if self.rng.random() < 0.4:
            return damaged_bytes(packaged_weights("simulated-backbone").read_bytes(), self.rng)
        return self.written(self.tensors, odd_document(self.about, self.rng))

    def use(self, path: Path) -> object:
        return load_backbone(path)

    def silent(self, result) -> str:
        return ""


class Checkpoints(Group):
    suffix = ".pth"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        config = BackboneConfig(encoder="mobilenetv3_small_050", maps=8, blocks_3d=1, squeeze=2, projection=4)
        torch.save({"nn_state_dict": Backbone(config).state_dict()}, self.path)
        self.content = self.path.read_bytes()

    def damage(self) -> bytes:
        return damaged_bytes(self.content, self.rng)

    def use(self, path: Path) -> object:
        return read_published(path)


FACTS = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 4)


class Stores(Group):
    document = {**asdict(FACTS), "provenance": {"notice": "x"}}

    def use(self, path: Path) -> object:
        folder = self.folder / "store"
        (folder / "videos").mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_bytes(path.read_bytes())
        (folder / "videos" / "v.jsonl").write_bytes(damaged_bytes(b'{"window": "ab"}\n{"notices": []}\n', self.rng))
        store = FeatureStore(folder)
        list(store.videos())
        JournalWriter(store, "w").add("ab")
        (folder / "videos" / "w.jsonl").unlink()
        return store.facts

    def silent(self, result) -> str:
        fine = result.precision in ("float32", "bfloat16") and result.weights.isprintable()
        return "" if fine else "a wrong precision or digest"


class Windows(Group):
    """A window of a feature store."""

    suffix = ".npy"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        self.store = FeatureStore(folder / "store", FACTS)

    def damage(self) -> bytes:
        window, buffer = np.ones((33, 4), np.float16), io.BytesIO()
        narrow = window.astype(str(self.rng.choice(["f4", "O", "U8", "c8", "i2"])))
        window[0, 0] = self.rng.choice([1, 1, np.nan, np.inf, -np.inf])
        kind = int(self.rng.integers(0, 4))
        if kind == 0:
            np.savez(buffer, window)
        else:
            np.save(buffer, self.one_of([window, narrow, window[: int(self.rng.integers(0, 33))]]), allow_pickle=True)
        return damaged_bytes(buffer.getvalue(), self.rng) if kind == 1 else buffer.getvalue()

    def use(self, path: Path) -> object:
        place = self.store.window_path(name := f"k{self.rng.integers(1 << 62)}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
        try:
            return self.store.read(name)
        finally:
            place.unlink()

    def silent(self, result) -> str:
        return "" if np.isfinite(result).all() and result.shape == (33, 4) else "NaN, or another shape"


class Grids(Group):
    suffix = ".yaml"
    variants = {"plain": {}, "wide": {"model.d_model": 192}}
    document = {"recipe": "feed", "seeds": [0, 1], "common": {"epochs": 1}, "variants": variants}
    document |= {"ensembles": {"both": ["plain", "wide"]}, "decodings": {"marginal": None}}

    def damage(self) -> bytes:
        lines = yaml.safe_dump(self.document).splitlines(keepends=True)
        self.doubled = False
        if self.rng.random() < 0.1:
            levels = range(1, int(self.rng.integers(3, 30)))
            bomb = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in levels]
            return "".join(["a0: &a0 [x, x]\n", *bomb, *lines]).encode()
        if self.rng.random() < 0.1:
            twice = int(self.rng.choice([n for n, line in enumerate(lines) if ":" in line]))
            self.doubled = True
            return "".join(lines[: twice + 1] + lines[twice:]).encode()
        return odd_text(self.document, self.rng, lambda value: yaml.safe_dump(value, allow_unicode=False))

    def use(self, path: Path) -> object:
        return open_grid(str(path))

    def silent(self, result) -> str:
        return "a key that stood twice" if self.doubled else ""


class Rows(Group):
    """Lines of a running match, each of which may be odd; all may be in another form."""

    suffix = ".jsonl"
    row = {"half": 1, "action": "PASS", "team": "home", "x": 50, "y": 50, "setpiece": "corner"}
    row |= {"delay_ms": 0, "confidence": 0.5}
    document = [row | {"t_ms": t_ms} for row, t_ms in product([row], range(0, 6000, 1000))]

    def damage(self) -> bytes:
        kind = int(self.rng.integers(0, 4))
        if kind == 0:
            return super().damage()
        lines = [json.dumps(row) for row in self.document]
        if kind == 1:
            return damaged_bytes(self.one_of([",\n", "", "\r", " ", "\x00"]).join(lines).encode(), self.rng)
        odd = (self.rng.random() < 0.5 for _ in lines)
        rows = zip(self.document, lines, odd, strict=True)
        return b"\n".join(odd_text(row, self.rng) if is_odd else line.encode() for row, line, is_odd in rows)

    def use(self, path: Path) -> object:
        lines = of_growing_file(path, follow=False)
        found = list(iter(lambda: lines.next(10), None))
        if not any(isinstance(line, Line) for line in found):
            raise next(iter(found), InputError(path, "ended without a line"))
        return found

    def silent(self, result) -> str:
        many = [str(line) for line in result if isinstance(line, InputError) and len(str(line).splitlines()) != 1]
        return f"a refusal of many lines {many[0][:80]!r}" if many else ""


class Pages(Group):
    """What ``predict`` wrote, for the page of a match."""

    place = {"match": 1, "half": 1}
    line = place | {"observed_until_ms": 30_000, "time_ms": 31_000, "action": "PASS", "confidence": 0.5}
    times = place | {"from_ms": 30_000, "to_ms": 60_000, "every_ms": 5_000}
    document = {"source": "a", "anticipated": [line] * 2, "times": [times, times | {"half": 2}]}
    document |= {"spotted": [{"time_ms": 29_000, "action": "SHOT", "confidence": 0.9}]}

    def use(self, path: Path) -> object:
        out = self.folder / "page.html"
        write_page(recognise([path]), out)
        return out.read_text("utf-8")

    def silent(self, result) -> str:
        data = result.partition('id="match">')[2].partition("</script>")[0]
        return "" if result.count("</script>") == 2 and json.loads(data)["parts"] is not None else "a broken page"


class Videos(Group):
    suffix = ".mp4"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        muxers = ("mp4", "flv", "mpegts", "matroska", "avi")
        self.contents = [write(folder / f"good.{m}", [flat(60)] * 10, muxer=m).read_bytes() for m in muxers]

    def damage(self) -> bytes:
        return damaged_bytes(self.one_of(self.contents), self.rng)

    def use(self, path: Path) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sum(1 for _ in islice(read_frames(path, InputSize(64, 64)), 2000))

    def silent(self, result) -> str:
        return "2,000 frames of ten pictures" if result == 2000 else ""


_ALL = (Labels, SpottingLabels, Wyscout, OtherFeeds, Tables, Submissions, Zips, FrameCases, Weights, VideoWeights)
_ALL += (Backbones, Checkpoints, Stores, Windows, Grids, Videos, Rows, Pages)
GROUPS = {re.sub(r"(?<=[a-z])(?=[A-Z])", " ", group.__name__).lower(): group for group in _ALL}
SHARES = {"backbones": 0.3, "checkpoints": 0.3, "videos": 0.5, "grids": 0.4}
"""Of the cases that another group gets: these take longer."""
