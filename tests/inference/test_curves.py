"""Chances over a match: sums of the model's rates, each time blind to what comes, in files that people open."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import playahead
from playahead.cli.main import run
from playahead.decoding.chances import HORIZONS_S, ChanceMap, expected_within, fit_chances
from playahead.domain.actions import Action
from playahead.domain.feed import FeedHalf
from playahead.evaluation.exact import TimedEvents
from playahead.inference.curves import curves
from playahead.io.errors import InputError
from playahead.io.files import match_file
from playahead.lab.simulation.plays import simulate_half


@pytest.fixture(scope="module")
def found():
    return curves("sample", every=5)


def test_chances_add_up_rates_to_each_horizon():
    intensity_ORC = np.zeros((1, 32, 10), np.float32)
    intensity_ORC[0, :, 6] = 0.01  # a shot each 100 frames of 160 ms
    intensity_ORC[0, 31, 0] = 1  # of the last frame, a quarter lies within the 5 s
    chance_OHC, expected_OC = ChanceMap()(intensity_ORC), expected_within(intensity_ORC)[:, -1]
    per_s = 0.01 / 0.16
    assert chance_OHC[0, :, 6] == pytest.approx([1 - np.exp(-per_s * s) for s in HORIZONS_S], rel=1e-5)
    assert expected_OC[0, 6] == pytest.approx(5 * per_s, rel=1e-5)
    assert chance_OHC[0, :, 0] == pytest.approx([0, 0, 1 - np.exp(-0.25)], rel=1e-5)


def test_chances_are_mapped_to_what_happened():
    """Twice as many times as the rates say: the map doubles; what is too rare stays; nearer is never likelier."""
    rng = np.random.default_rng(0)
    intensity_ORC = np.zeros((40_000, 32, 10), np.float32)
    intensity_ORC[:, :, 6] = rng.uniform(0, 0.006, (40_000, 1))
    true_O = 2 * ChanceMap()(intensity_ORC)[:, -1, 6]
    clip = np.flatnonzero(rng.random(40_000) < true_O)
    events = TimedEvents(clip, np.full(len(clip), 6), rng.uniform(0, 5_000, len(clip)))
    about = {"chances": fit_chances(intensity_ORC, events)}
    assert about["chances"][2][0] == [[], []]
    mapped_OHC = ChanceMap(about["chances"])(intensity_ORC)
    high_O = true_O > 0.1
    assert mapped_OHC[high_O, -1, 6] == pytest.approx(true_O[high_O], abs=0.03)
    assert (np.diff(mapped_OHC, axis=1) >= 0).all()
    with pytest.raises(InputError, match="hold no map"):
        ChanceMap([[1]])


def test_the_sample_has_chances_of_both_teams(found):
    assert repr(found) == f"Curves({len(found):,} times of half 1, 2, 10 classes)"
    columns = found.columns([Action.SHOT])
    assert list(columns)[:7] == ["half", "time_ms", "clock", "team", "team_1", "team_2", "shot_1s"]
    assert (columns["team_1"][0], columns["team_2"][0]) == ("Manchester City", "Brighton & Hove Albion")
    assert set(columns["team"]) <= {"Brighton & Hove Albion", "Manchester City", ""}
    assert ((columns["shot_1s"] <= columns["shot_2s"]) & (columns["shot_2s"] <= columns["shot_5s"])).all()
    known = ~np.isnan(columns["shot_5s_team_1"])
    both = columns["shot_5s_team_1"] + columns["shot_5s_team_2"]
    np.testing.assert_allclose(both[known], columns["shot_5s"][known], rtol=1e-5)
    assert known.mean() > 0.8


def test_a_chance_rests_on_what_was_visible_by_then():
    half = simulate_half(3, minutes=3)
    whole = curves([half], every=1)
    cut = curves([half.take(half.visible_ms < 90_000)], every=1)
    n = int((cut.time_ms_O <= 89_000).sum())
    assert n > 50
    np.testing.assert_array_equal(whole.chance_OHC[:n], cut.chance_OHC[:n])
    np.testing.assert_array_equal(whole.first_OC[:n], cut.first_OC[:n])


def test_predict_and_curves_know_the_same(found):
    """The rates behind both are equal to the bit."""
    predictor = playahead.open_predictor()
    half, _ = playahead.read_feed(match_file("sample"))
    moment = predictor.prepare(half).windows(np.array([600_000]))
    rates = predictor.answer(predictor.encode(moment), np.array([[0]])).intensity()
    (place,) = np.flatnonzero((found.half_O == 1) & (found.time_ms_O == 600_000))
    np.testing.assert_array_equal(found.chance_OHC[place], predictor.chance_map(rates)[0])


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_files_and_standard_output(tmp_path, capsys, ending):
    out = tmp_path / f"curves.{ending}"
    asked = ["curves", "sample", "--of", "shot,high-pass", "--every", "60", "--half", "1"]
    assert run([*asked, "--out", str(out)]) == 0
    assert run(asked) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("half,time_ms,clock,team,team_1,team_2,shot_1s,shot_2s,shot_5s,shot_expected,")
    assert "high_pass_5s" in printed[0]
    if ending == "json":
        assert [row["time_ms"] for row in json.loads(out.read_text())] == [30_000 + 60_000 * n for n in range(48)]
    else:
        assert out.read_text().splitlines() == printed


def test_a_data_frame():
    pd = pytest.importorskip("pandas")
    frame = curves("sample", every=60, half=2).to_frame([Action.CROSS])
    assert isinstance(frame, pd.DataFrame)
    assert frame["cross_5s"].between(0, 1).all()


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_picture(tmp_path, ending):
    out = tmp_path / f"danger.{ending}"
    assert run(["plot", "sample", "--of", "shot", "--half", "1", "--out", str(out)]) == 0
    assert out.read_bytes()[:4] in (b"\x89PNG", b"<?xm")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["curves", "sample", "--of", "goal"], "'goal' is no action"),
        (["curves", "sample", "--every", "0"], "--every: 0.0 is not in 0.001"),
        (["curves", "sample", "--every", "60", "--out", "x.txt"], "ends in none of .csv"),
        (["curves", "sample", "--half", "4"], "--half: 4 is not in the match"),
        (["plot", "sample", "--of", "shot,cross", "--out", "x.png"], "--of: names more than one action"),
        (["plot", "sample", "--out", "x.gif"], "ends in neither .svg nor .png"),
    ],
)
def test_wrong_requests_are_one_line(capsys, arguments, reason):
    assert run(arguments) == 2
    assert reason in capsys.readouterr().err


def test_parquet_needs_pandas(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert run(["curves", "sample", "--every", "60", "--out", str(tmp_path / "x.parquet")]) == 2
    assert "pip install pandas" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_several_matches_are_refused():
    halves = [simulate_half(seed, minutes=2) for seed in (0, 1)]
    with pytest.raises(InputError, match="holds 2 matches"):
        curves([replace(half, match=number) for number, half in enumerate(halves)])


def test_halves_without_times_are_refused():
    with pytest.raises(InputError, match="no half has rows"):
        curves([FeedHalf.from_rows(1, 1, [])])
