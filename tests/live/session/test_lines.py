"""Lines of a feed: read as their fields say, or refused at once with a reason; a dead reader ends its session."""

import json

import pytest

from playahead.cli.main import run
from playahead.domain.actions import ACTIONS
from playahead.domain.feed import UNKNOWN, Detail, FeedRow
from playahead.io.errors import InputError
from playahead.live.session.frames import FrameSource
from playahead.live.session.lines import Reports, Tick, lines_of, of_growing_file, parse_entry, parse_line
from playahead.live.session.open import LiveConfig, live
from playahead.sources.feeds import read_feed
from playahead.video.input_size import InputSize

ROWS = [{"half": 1, "t_ms": 500 + 1_000 * n, "action": "PASS", "x": 50, "y": 50} for n in range(12)]
AS_LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
NOT_LINES = {
    "a list": json.dumps(ROWS),
    "a list over many lines": json.dumps(ROWS, indent=1),
    "a comma after each": "".join(json.dumps(row) + ",\n" for row in ROWS),
    "one behind the other": "".join(json.dumps(row) for row in ROWS),
    "CSV": "half,t_ms,action\n" + "".join(f"1,{row['t_ms']},PASS\n" for row in ROWS),
    "a list in each line": "".join(json.dumps([row]) + "\n" for row in ROWS),
    "UTF-16": AS_LINES.encode("utf-16"),
    "UTF-16, big end first": AS_LINES.encode("utf-16-be"),
    "bytes": bytes(range(256)) * 4,
    "carriage returns alone": AS_LINES.replace("\n", "\r"),
}
EMPTY = {"reports alone": '{"reports": ["PASS"]}\n', "nothing": "", "empty lines": "\n\r\n \n"}
FIELDS = ("half", "t_ms", "now_ms", "action", "team", "x", "y", "setpiece", "delay_ms", "confidence", "reports")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.jsonl"


def written(path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize("kind", [*NOT_LINES, *EMPTY])
def test_a_file_without_a_line_that_can_be_read_is_refused_at_once(kind, path, capsys):
    assert run(["live", written(path, {**NOT_LINES, **EMPTY}[kind]), "--speed", "0"]) == 2
    shown = capsys.readouterr()
    *notes, end = shown.err.splitlines()
    assert (shown.out, end.startswith("playahead: rows.jsonl: ")) == ("", True)
    if kind in EMPTY:
        assert (notes, "ended without a row" in end) == ([], True)
    else:
        assert f"note: {path}: line 1: " in notes[0]
        assert "none of its lines can be read (one object a line, as {" in end


@pytest.mark.parametrize("kind", ["a list", "one behind the other", "CSV", "UTF-16"])
def test_such_a_file_is_not_followed(kind, path, monkeypatch):
    monkeypatch.setattr("playahead.live.session.lines._STILL_S", 0.1)
    with pytest.raises(InputError, match="none of its lines can be read"):
        list(live(written(path, NOT_LINES[kind]), LiveConfig(speed=1)))


@pytest.mark.parametrize(
    "text",
    [AS_LINES, "\ufeff" + AS_LINES, AS_LINES.replace("\n", "\r\n"), AS_LINES.replace("\n", "\n\n"), AS_LINES[:-1]],
    ids=["as it should be", "byte order mark", "CRLF", "empty lines between", "no end of the last line"],
)
def test_what_differs_in_its_ends_alone_is_read(text, path):
    written(path, text)
    lines = of_growing_file(path, follow=False)
    assert [line.t_ms for line in iter(lambda: lines.next(5), None)] == [row["t_ms"] for row in ROWS]


def test_a_bad_line_among_good_ones_is_said_at_once_and_counted(path):
    notices = []
    answers = list(live(written(path, "nonsense\n" * 12 + AS_LINES), LiveConfig(speed=0), notice=notices.append))
    named = [what.partition("nonsense")[0].split(": ")[1] for what in notices]
    assert named == ["line 1", "line 10", "12 lines could not be read"]
    assert (len(answers), len(answers[0].notices)) == (11, 12)
    first = next(live(written(path, "nonsense\n" * 3_000 + AS_LINES), LiveConfig(speed=0)))
    assert (len(first.notices), first.notices[0]) == (21, "2,980 more notices")


def test_a_file_that_begins_badly_is_followed_once_a_line_was_read(path):
    written(path, "a log line\n" + json.dumps(ROWS[0]) + "\n")
    lines = of_growing_file(path, follow=True)
    kinds = [type(lines.next(5)), type(lines.next(5))]
    with path.open("a") as file:
        file.write("another log line\n" + json.dumps(ROWS[1]) + "\n")
    assert [*kinds, type(lines.next(5)), type(lines.next(5))] == [InputError, FeedRow] * 2
    lines.close()


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (
            '{"half": 2, "t_ms": 61200, "action": "pass", "team": "away", "x": 44, "y": 20.4, "confidence": 0.82}',
            FeedRow(2, 61_200, 0, team=1, x=44, y=20, confidence=82),
        ),
        ('{"t_ms": 5, "action": "DUEL"}', FeedRow(1, 5, len(ACTIONS))),
        ('{"now_ms": 65000}', Tick(1, 65_000)),
        ('{"reports": ["PASS", "DUEL"]}', Reports(frozenset({0, 10}))),
    ],
)
def test_a_line_is_read_as_its_fields_say(line, row):
    assert parse_line(line, "line 1") == row


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not JSON"),
        ("[]", "expected an object"),
        ('{"t_ms": 1}', "'action'"),
        ('{"t_ms": 1, "action": "GOAL KICK"}', "'GOAL KICK' is not one of PASS"),
        ('{"t_ms": -1, "action": "PASS"}', "t_ms '-1' is not a number from 0"),
        ('{"t_ms": "5", "action": "PASS"}', "t_ms '5' is not a number from 0"),
        ('{"t_ms": NaN, "action": "PASS"}', "t_ms 'nan'"),
        ('{"t_ms": 1, "action": "PASS", "x": 101}', "x '101' is not a number from 0 to 100"),
        ('{"t_ms": 1, "action": "PASS", "team": "Ajax"}', "team 'Ajax' is not home or away"),
        ('{"t_ms": 1, "action": "PASS", "half": 5}', "half '5' is not a number from 1 to 4"),
        ('{"t_ms": 1, "action": "PASS", "confidence": 80}', "confidence '80' is not in"),
        ('{"t_ms": 1, "action": "PASS", "setpiece": "kick"}', "setpiece 'kick' is not one of open play"),
        ('{"t_ms": 1, "action": "PASS", "shirt": 7}', "'shirt' is not one of"),
        ('{"t_ms": 1, "action": "PASS", "player": 300}', "player '300' is not a number from 0 to 254"),
        ('{"t_ms": 1, "action": "PASS", "detail": "trick"}', "detail 'trick' is not one of air duel"),
        ('{"t_ms": 1, "action": "PASS", "flags": ["head", 0]}', "flags: '0' is not one of head"),
        ('{"t_ms": 1, "action": "PASS", "role": "referee"}', "role 'referee' is not one of goalkeeper"),
        ('{"now_ms": 1, "action": "PASS"}', "'now_ms' is not one of"),
        ('{"reports": ["SAVES"]}', "'SAVES' is not one of"),
        ('{"t_ms": 1' + " " * 70_000 + "}", "longer than 65,536"),
        ("[" * 60_000, "not JSON"),
        *((f'{{"t_ms": 1, "action": "PASS", "{name}": [[]]}}', "line 7") for name in FIELDS),
    ],
)
def test_a_wrong_line_is_named(line, said):
    with pytest.raises(InputError, match="line 7") as caught:
        parse_line(line, "line 7")
    assert said in str(caught.value)


def test_a_reader_that_dies_ends_the_session_with_its_reason(path, capsys, monkeypatch):
    def dies(*_):
        raise TypeError("unhashable type: 'list'")

    monkeypatch.setattr("playahead.live.session.lines.parse_line", dies)
    assert run(["live", written(path, AS_LINES), "--json"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "source: its reader stopped (TypeError: unhashable type: 'list') (that is a defect" in said


@pytest.mark.parametrize("death", [TypeError("x"), MemoryError(), KeyError("a"), SystemExit(1), OSError(5, "gone")])
def test_no_thread_that_died_is_waited_for(death, monkeypatch, tmp_path):
    def dying(_):
        yield FeedRow(1, 5, 0)
        raise death

    lines = lines_of(dying)
    assert lines.next(5) == FeedRow(1, 5, 0)
    with pytest.raises((InputError, OSError)) as caught:
        lines.next(5)
    assert death in (caught.value, caught.value.__cause__)
    monkeypatch.setattr(FrameSource, "_read_all", lambda *_: list(dying(None)))
    with pytest.raises((InputError, OSError)):
        FrameSource(str(tmp_path), InputSize(64, 64)).next(5)


@pytest.mark.parametrize("label", ["THROW IN", "Corner", "penalty", "Direct free-kick", "FREE KICK", "PASS", "GOAL"])
def test_a_label_says_the_same_in_a_line_as_in_a_file(label, tmp_path):
    marks = [{"gameTime": "1 - 00:10", "label": name, "position": "10000"} for name in ("PASS", label)]
    path = tmp_path / "spotter.json"
    path.write_text(json.dumps({"UrlLocal": "x", "predictions": marks}))
    (half,) = read_feed(path)
    row = parse_entry({"t_ms": 10_000, "action": label}, "line 1")
    assert (row.code, row.setpiece) == (half.code[-1], half.setpiece[-1])
    assert parse_entry({"t_ms": 10_000, "action": label, "setpiece": "open play"}, "line 1").setpiece == 0


def test_a_row_may_tell_more_than_its_action():
    line = {"t_ms": 1, "action": "PASS", "detail": "smart pass", "flags": ["high", "left foot"], "player": 7}
    row = parse_line(json.dumps({**line, "role": "midfielder"}), "x")
    assert row == FeedRow(1, 1, 0, setpiece=255, detail=Detail.SMART_PASS, flags=0b1100, player=7, role=2)
    assert parse_line(json.dumps({**line, "detail": None, "flags": None}), "x").flags == UNKNOWN
