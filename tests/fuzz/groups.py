"""What is damaged, and what reads it. A group makes one good input, then as many bad ones as are asked for."""

import gzip
import io
import json
import warnings
import zipfile
from abc import ABC, abstractmethod
from dataclasses import asdict
from itertools import islice
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
from playahead.live.session.lines import of_growing_file
from playahead.live.session.rows import Line
from playahead.paper.anticipator import Anticipator
from playahead.sources.audit import audit_splits
from playahead.sources.feed_tables import read_feed_table, write_feed_table
from playahead.sources.feeds import read_feed
from playahead.sources.soccernet import cut_into_clips, read_baa_split, read_bas_match
from playahead.variants.config import AnticipatorConfig
from playahead.video.input_size import InputSize
from playahead.video.reader import read_frames
from tests.fuzz.mutations import damaged_bytes, odd_document, odd_text
from tests.support.provider_files import METRICA, SPORTEC, STATSBOMB, datafactory_entry, metrica_json, opta_pass


class Group(ABC):
    """One kind of input.

    Args:
        folder: to write in.
        rng: draws the damage.
    """

    suffix = ".json"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng = folder, rng
        self.path = folder / f"input{self.suffix}"

    @abstractmethod
    def damage(self) -> bytes:
        """A bad input."""

    @abstractmethod
    def use(self, path: Path) -> object:
        """Read it as the product does; anything but a ``PlayaheadError`` is a fault."""

    def silent(self, result: object) -> str:
        """What changed its meaning without a word; empty if nothing did."""
        return ""


class Labels(Group):
    def damage(self) -> bytes:
        events = [{"label": "PASS", "position": str(t), "team": "left"} for t in (1000, 29_000)]
        coming = [{"label": "SHOT", "position": 31_000, "visibility": "visible"}]
        clips = [
            {"path": f"clip_{n}/224p.mp4", "annotations": {"observation": events, "anticipation": coming}}
            for n in (1, 2)
        ]
        return odd_text({"videos": clips}, self.rng)

    def use(self, path: Path) -> object:
        audit_splits({"train": read_baa_split(path, keep_going=True)})
        return read_baa_split(path)

    def silent(self, result) -> str:
        odd = [clip.name for clip in result.clips if not clip.name.isprintable() or ".." in clip.video]
        return f"a clip named {odd[0]!r}" if odd else ""


class SpottingLabels(Group):
    def damage(self) -> bytes:
        entries = [
            {"gameTime": f"{1 + n // 3} - 00:{10 + n}", "label": "DRIVE", "position": str(1000 * (10 + n))}
            for n in range(6)
        ]
        return odd_text({"annotations": entries}, self.rng)

    def use(self, path: Path) -> object:
        match = read_bas_match(path)
        for events in match.values():
            cut_into_clips(events, 60_000, 5_000)
        return match

    def silent(self, result) -> str:
        late = [event for events in result.values() for event in events if event.position_ms > 3 * 3_600_000]
        return "an action after three hours" if late else ""


class Wyscout(Group):
    def damage(self) -> bytes:
        places = [{"x": 40, "y": 50}, {"x": 60, "y": 50}]
        about = {"matchId": 7, "playerId": 5, "matchPeriod": "1H", "eventName": "Pass", "subEventName": "Simple pass"}
        events = [
            {**about, "id": n, "teamId": 1 + n % 2, "eventSec": 2.0 * n, "tags": [{"id": 1801}], "positions": places}
            for n in range(6)
        ]
        return odd_text(events, self.rng)

    def use(self, path: Path) -> object:
        return read_feed(path)


class OtherFeeds(Group):
    """Spotters' results, OSL JSON, SPADL and the other providers' matches; some of them gzipped."""

    def damage(self) -> bytes:
        document = FEEDS[int(self.rng.integers(0, len(FEEDS)))]
        if isinstance(document, str):  # XML
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
    spotted = [
        {
            "gameTime": f"{1 + n % 2} - {45 * (n % 2)}:{n}",
            "label": "PASS",
            "position": str(1000 * n),
            "confidence": "0.4",
        }
        for n in seconds
    ]
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
    others = [
        STATSBOMB,
        ma3,
        datafactory,
        {"data": metrica_json(METRICA)},
        f"<PutDataRequest>{''.join(SPORTEC)}</PutDataRequest>",
    ]
    opta = "".join(
        f'<Event type_id="1" period_id="1" min="0" sec="{n}" team_id="{101 + n % 2}" x="5" y="6" '
        f'timestamp="2024-03-10T15:00:{n}.5"><Q qualifier_id="140" value="{n}"/></Event>'
        for n in seconds
    )
    return [{"predictions": spotted}, osl, spadl, columns, whoscored, *others, f"<Games><Game>{opta}</Game></Games>"]


FEEDS = _feeds()


class Tables(Group):
    suffix = ".npz"

    def damage(self) -> bytes:
        write_feed_table(self.path, [simulate_half(0, minutes=1)])
        if self.rng.random() < 0.5:
            return damaged_bytes(self.path.read_bytes(), self.rng)
        with np.load(self.path) as table:
            columns = {name: table[name] for name in table.files}
        name = str(self.rng.choice(list(columns)))
        row = int(self.rng.integers(0, len(columns[name])))
        value = self.rng.choice([-1, 256, 65_537, 2**31 - 1, 2**31, 10**8, 10**12, 10**18])
        column = columns[name].astype(np.int64)
        column[row] = value
        odd = (
            column,
            column.astype(float),
            column[:-1],
            column[None],
            np.zeros(0, np.int64),
            column.astype(str),
            column.astype(complex),
        )
        columns[name] = odd[int(self.rng.integers(0, len(odd)))] if self.rng.random() < 0.5 else column
        if self.rng.random() < 0.1:
            del columns[name]
        self.wrong = (name, int(value))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **columns)
        return buffer.getvalue()

    def use(self, path: Path) -> object:
        halves = read_feed_table(path)
        write_feed_table(self.folder / "again.npz", halves)
        return halves, read_feed_table(self.folder / "again.npz")

    def silent(self, result) -> str:
        same = all(
            all(
                (getattr(a, name) == getattr(b, name)).all()
                for name in ("t_ms", "code", "team", "x", "y", "setpiece", "delay_ms")
            )
            and (a.match, a.half) == (b.match, b.half)
            for a, b in zip(*result, strict=True)
        )
        return "" if same else "values wrapped around"


class Submissions(Group):
    def damage(self) -> bytes:
        entry = {"label": "PASS", "position": 31_000, "confidence": 0.5, "confidence_vect": [0.5, 0.5] + [0.0] * 9}
        videos = [{"path": f"clip_{n}", "annotations": {"observation": [], "anticipation": [entry]}} for n in (1, 2)]
        return odd_text({"videos": videos}, self.rng)

    def use(self, path: Path) -> object:
        check_submission(path, ["clip_1", "clip_2"])
        frame_table([], read_results(path), path)
        return read_results(path)

    def silent(self, result) -> str:
        odd = [name for name in result if not name.isprintable() or name == "None"]
        return f"a clip named {odd[0]!r}" if odd else ""


class Zips(Submissions):
    suffix = ".zip"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(RESULTS_NAME, bytes(300_000_000))
        self.bomb = buffer.getvalue()

    def damage(self) -> bytes:
        if self.rng.random() < 0.03:
            return self.bomb
        content, buffer = super().damage(), io.BytesIO()
        method = int(self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
        name = str(
            self.rng.choice([RESULTS_NAME] * 6 + [f"folder/{RESULTS_NAME}", f"../{RESULTS_NAME}", f"/{RESULTS_NAME}"])
        )
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr(name, content)
            if self.rng.random() < 0.2:
                archive.writestr("__MACOSX/._x", b"x")
        return buffer.getvalue() if self.rng.random() < 0.3 else damaged_bytes(buffer.getvalue(), self.rng)


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
        arrays["n_videos"] = self.rng.choice([0, 1, 1, 1, 2, 10**9])
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue() if self.rng.random() < 0.5 else damaged_bytes(buffer.getvalue(), self.rng)

    def use(self, path: Path) -> object:
        found = evaluate_frame_case(path)
        return found.average, found.exact


class Weights(Group):
    suffix = ".safetensors"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        self.config = AnticipatorConfig(
            feature_dim=63, d_model=8, heads=2, ffn_dim=8, encoder_layers=1, decoder_layers=1, slots=2
        )
        self.about: dict = {
            "model": asdict(self.config),
            "features": {"kind": "feed", "names": ["a"]},
            "decoders": {"marginal": {"kind": "marginal"}},
        }
        self.tensors = Anticipator(self.config).state_dict()

    def damage(self) -> bytes:
        tensors, about = dict(self.tensors), self.about
        kind = int(self.rng.integers(0, 4))
        name = str(self.rng.choice(list(tensors)))
        if kind == 0:
            about = odd_document(about, self.rng)
        elif kind == 1:
            odd = (
                tensors[name].double(),
                tensors[name].half(),
                tensors[name] * np.nan,
                torch.zeros(3),
                tensors[name][None],
            )
            tensors[name] = odd[int(self.rng.integers(0, len(odd)))]
        elif kind == 2:
            about = {
                **about,
                "model": {
                    **about["model"],
                    str(self.rng.choice(["d_model", "encoder_layers", "slots", "bins"])): 10
                    ** int(self.rng.integers(3, 12)),
                },
            }
        try:
            write_tensors(self.path, tensors, about if isinstance(about, dict) else {"model": about})
        except (TypeError, ValueError, UnicodeEncodeError):
            return b""
        content = self.path.read_bytes()
        return damaged_bytes(content, self.rng) if kind == 3 else content

    def use(self, path: Path) -> object:
        predictor = Predictor.open(path)
        predictor.decoder("marginal")
        return predictor

    def silent(self, result) -> str:
        fine = all(
            tensor.dtype == torch.float32 and torch.isfinite(tensor).all()
            for tensor in result.network.state_dict().values()
        )
        return "" if fine else "NaN or another dtype"


class Backbones(Weights):
    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        Group.__init__(self, folder, rng)
        backbone, provenance = load_backbone(packaged_weights("simulated-backbone"))
        self.about = {"backbone": asdict(backbone.config), "provenance": dict(provenance)}
        self.tensors = backbone.state_dict()

    def damage(self) -> bytes:
        if self.rng.random() < 0.4:
            return damaged_bytes(packaged_weights("simulated-backbone").read_bytes(), self.rng)
        about = odd_document(self.about, self.rng)
        try:
            write_tensors(self.path, self.tensors, about if isinstance(about, dict) else {"backbone": about})
        except (TypeError, ValueError, UnicodeEncodeError):
            return b""
        return self.path.read_bytes()

    def use(self, path: Path) -> object:
        return load_backbone(path)

    def silent(self, result) -> str:
        return ""


class Checkpoints(Group):
    suffix = ".pth"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        config = BackboneConfig(encoder="mobilenetv3_small_050", maps=8, blocks_3d=1, squeeze=2, projection=4)
        buffer = io.BytesIO()
        torch.save({"nn_state_dict": Backbone(config).state_dict()}, buffer)
        self.content = buffer.getvalue()

    def damage(self) -> bytes:
        return damaged_bytes(self.content, self.rng)

    def use(self, path: Path) -> object:
        return read_published(path)


class Stores(Group):
    def damage(self) -> bytes:
        facts = StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 4)
        return odd_text({**asdict(facts), "provenance": {"notice": "x"}}, self.rng)

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
        return (
            ""
            if result.precision in ("float32", "bfloat16") and result.weights.isprintable()
            else "a wrong precision or digest"
        )


class Grids(Group):
    suffix = ".yaml"

    def damage(self) -> bytes:
        document = {
            "recipe": "feed",
            "seeds": [0, 1],
            "common": {"epochs": 1},
            "variants": {"plain": {}, "wide": {"model.d_model": 192}},
            "ensembles": {"both": ["plain", "wide"]},
            "decodings": {"marginal": None},
        }
        self.doubled = False
        if self.rng.random() < 0.1:
            levels = int(self.rng.integers(3, 30))
            bomb = "a0: &a0 [x, x]\n" + "".join(
                f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, levels)
            )
            return bomb.encode() + yaml.safe_dump(document).encode()
        if self.rng.random() < 0.1:
            lines = yaml.safe_dump(document).splitlines(keepends=True)
            twice = int(self.rng.choice([n for n, line in enumerate(lines) if ":" in line]))
            self.doubled = True
            return "".join(lines[: twice + 1] + lines[twice:]).encode()
        return odd_text(document, self.rng, lambda value: yaml.safe_dump(value, allow_unicode=False))

    def use(self, path: Path) -> object:
        return open_grid(str(path))

    def silent(self, result) -> str:
        return "a key that stood twice" if self.doubled else ""


class Rows(Group):
    """Lines of a running match, each of which may be odd; all may be in another form."""

    suffix = ".jsonl"

    def damage(self) -> bytes:
        rows = [
            {"half": 1, "t_ms": 1000 * n, "action": "PASS", "team": "home", "x": 50, "y": 50, "setpiece": "corner"}
            | {"delay_ms": 0, "confidence": 0.5}
            for n in range(6)
        ]
        kind = int(self.rng.integers(0, 4))
        if kind == 0:
            return odd_text(rows, self.rng)
        if kind == 1:
            joint = str(self.rng.choice([",\n", "", "\r", " ", "\x00"]))
            return damaged_bytes(joint.join(json.dumps(row) for row in rows).encode(), self.rng)
        return b"\n".join(
            odd_text(row, self.rng) if self.rng.random() < 0.5 else json.dumps(row).encode() for row in rows
        )

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

    def damage(self) -> bytes:
        line = {
            "match": 1,
            "half": 1,
            "observed_until_ms": 30_000,
            "time_ms": 31_000,
            "action": "PASS",
            "confidence": 0.5,
        }
        times = [{"match": 1, "half": half, "from_ms": 30_000, "to_ms": 60_000, "every_ms": 5_000} for half in (1, 2)]
        spotted = [{"time_ms": 29_000, "action": "SHOT", "confidence": 0.9}]
        return odd_text({"source": "a", "anticipated": [line] * 2, "times": times, "spotted": spotted}, self.rng)

    def use(self, path: Path) -> object:
        out = self.folder / "page.html"
        write_page(recognise([path]), out)
        return out.read_text("utf-8")

    def silent(self, result) -> str:
        data = result.partition('id="match">')[2].partition("</script>")[0]
        return "" if result.count("</script>") == 2 and json.loads(data)["parts"] is not None else "a broken page"


class Windows(Group):
    """A window of a feature store."""

    suffix = ".npy"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        self.store = FeatureStore(folder / "store", StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 4))

    def damage(self) -> bytes:
        window, buffer = np.ones((33, 4), np.float16), io.BytesIO()
        narrow = window.astype(str(self.rng.choice(["f4", "O", "U8", "c8", "i2"])))
        window[0, 0] = self.rng.choice([1, 1, np.nan, np.inf, -np.inf])
        kind = int(self.rng.integers(0, 4))
        odd = (
            window,
            narrow,
            window[: int(self.rng.integers(0, 33))],
        )
        if kind == 0:
            np.savez(buffer, window)
        else:
            np.save(buffer, odd[int(self.rng.integers(0, len(odd)))], allow_pickle=True)
        return damaged_bytes(buffer.getvalue(), self.rng) if kind == 1 else buffer.getvalue()

    def use(self, path: Path) -> object:
        name = f"k{self.rng.integers(1 << 62)}"
        self.store.window_path(name).parent.mkdir(parents=True, exist_ok=True)
        self.store.window_path(name).write_bytes(path.read_bytes())
        try:
            return self.store.read(name)
        finally:
            self.store.window_path(name).unlink()

    def silent(self, result) -> str:
        return "" if np.isfinite(result).all() and result.shape == (33, 4) else "NaN, or another shape"


class VideoWeights(Weights):
    """The description of the features that weights were trained on."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        facts = asdict(StoreFacts("w" * 64, (96, 64, "limited"), "float32", 33, 63))
        self.facts = {"kind": "video", **facts}

    def damage(self) -> bytes:
        try:
            write_tensors(self.path, self.tensors, {**self.about, "features": odd_document(self.facts, self.rng)})
        except UnicodeEncodeError:
            return b""
        return self.path.read_bytes()

    def use(self, path: Path) -> object:
        predictor = super().use(path)
        InputSize(*facts_of(predictor).input_size)
        return predictor


class Videos(Group):
    suffix = ".mp4"

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        super().__init__(folder, rng)
        from tests.support.video import flat, write

        self.contents = [
            write(folder / f"good.{muxer}", [flat(60)] * 10, muxer=muxer).read_bytes()
            for muxer in ("mp4", "flv", "mpegts", "matroska", "avi")
        ]

    def damage(self) -> bytes:
        return damaged_bytes(self.contents[int(self.rng.integers(0, len(self.contents)))], self.rng)

    def use(self, path: Path) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sum(1 for _ in islice(read_frames(path, InputSize(64, 64)), 2000))

    def silent(self, result) -> str:
        return "2,000 frames of ten pictures" if result == 2000 else ""


GROUPS = {
    "labels": Labels,
    "spotting labels": SpottingLabels,
    "Wyscout": Wyscout,
    "other feeds": OtherFeeds,
    "tables": Tables,
    "submissions": Submissions,
    "zips": Zips,
    "frame cases": FrameCases,
    "weights": Weights,
    "backbones": Backbones,
    "checkpoints": Checkpoints,
    "stores": Stores,
    "grids": Grids,
    "videos": Videos,
    "rows": Rows,
    "pages": Pages,
    "windows": Windows,
    "video weights": VideoWeights,
}
SHARES = {"backbones": 0.3, "checkpoints": 0.3, "videos": 0.5, "grids": 0.4}
"""Of the cases that another group gets: these take longer."""
