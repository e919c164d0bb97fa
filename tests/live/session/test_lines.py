"""Lines that cannot be read: said at once, and an end with a reason; a reader that dies ends its session."""

import json

import pytest
from hypothesis import given, strategies as st

from playahead.cli.main import run
from playahead.domain.feed import FeedRow
from playahead.io.errors import InputError
from playahead.live.session.frames import FrameSource
from playahead.live.session.lines import Line, lines_of, of_growing_file, parse_entry, parse_line
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
    "what it reports, and nothing else": '{"reports": ["PASS"]}\n',
    "nothing": "",
    "empty lines": "\n\r\n \n",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3),
    max_leaves=5,
)
FIELDS = ("half", "t_ms", "now_ms", "action", "team", "x", "y", "setpiece", "delay_ms", "confidence", "reports")


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("kind", NOT_LINES)
def test_a_file_of_which_no_line_can_be_read_is_said_at_once(kind, tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(as_bytes(NOT_LINES[kind]))
    assert run(["live", str(path), "--speed", "0"]) == 2
    shown = capsys.readouterr()
    *notes, end = shown.err.splitlines()
    assert shown.out == ""
    assert end.startswith("playahead: rows.jsonl: ")
    if kind in ("nothing", "empty lines", "what it reports, and nothing else"):
        assert (notes, "ended without a row" in end) == ([], True)
    else:
        assert f"note: {path}: line 1: " in notes[0]
        assert "none of its lines can be read (one object a line, as {" in end


@pytest.mark.parametrize("kind", ["a list", "one behind the other", "CSV", "UTF-16"])
def test_such_a_file_is_not_followed(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("playahead.live.session.lines._STILL_S", 0.1)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(as_bytes(NOT_LINES[kind]))
    with pytest.raises(InputError, match="none of its lines can be read"):
        list(live(str(path), LiveConfig(speed=1)))


@pytest.mark.parametrize(
    "text",
    [AS_LINES, "\ufeff" + AS_LINES, AS_LINES.replace("\n", "\r\n"), AS_LINES.replace("\n", "\n\n"), AS_LINES[:-1]],
    ids=["as it should be", "byte order mark", "CRLF", "empty lines between", "no end of the last line"],
)
def test_what_differs_in_its_ends_alone_is_read(text, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text.encode())
    lines = of_growing_file(path, follow=False)
    assert [line.t_ms for line in iter(lambda: lines.next(5), None)] == [row["t_ms"] for row in ROWS]


def test_a_bad_line_among_good_ones_is_said_at_once_and_counted(tmp_path):
    path, notices = tmp_path / "rows.jsonl", []
    path.write_text("nonsense\n" * 12 + AS_LINES)
    answers = list(live(str(path), LiveConfig(speed=0), notice=notices.append))
    assert len(answers) == 11
    assert [what.partition("nonsense")[0].split(": ")[1] for what in notices] == [
        "line 1",
        "line 10",
        "12 lines could not be read",
    ]
    assert len(answers[0].notices) == 12


def test_many_bad_lines_make_no_long_answer(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("nonsense\n" * 3_000 + AS_LINES)
    first = next(live(str(path), LiveConfig(speed=0)))
    assert len(first.notices) == 21
    assert first.notices[0] == "2,980 more notices"


def test_a_file_that_begins_badly_is_followed_once_a_line_was_read(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("a log line\n" + json.dumps(ROWS[0]) + "\n")
    lines = of_growing_file(path, follow=True)
    assert isinstance(lines.next(5), InputError)
    assert isinstance(lines.next(5), FeedRow)
    with path.open("a") as file:
        file.write("another log line\n" + json.dumps(ROWS[1]) + "\n")
    assert isinstance(lines.next(5), InputError)
    assert isinstance(lines.next(5), FeedRow)
    lines.close()


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from([*FIELDS, ""]), JSON)
def test_a_row_of_any_types_is_read_or_refused(entry, name, value):
    good = {"t_ms": 500, "action": "PASS"}
    for odd in (entry, {**good, name: value}, {**good, **entry}, value):
        try:
            assert isinstance(parse_entry(odd, "row"), Line)
        except InputError as reason:
            assert "\n" not in str(reason)


@pytest.mark.parametrize("name", FIELDS[:-1])
@pytest.mark.parametrize("value", ["[]", "{}", "[[]]", "true", '"\\ud800"', "1e999", "-1", "NaN"])
def test_a_field_of_another_type_is_one_line(name, value):
    fields = {"t_ms": "1", "action": '"PASS"', name: value}
    try:
        parse_line("{" + ", ".join(f'"{key}": {text}' for key, text in fields.items()) + "}", "rows: line 1")
    except InputError as reason:
        assert str(reason).startswith("rows: line 1")
    else:
        pytest.fail("was read")


def test_a_reader_that_dies_ends_the_session_with_its_reason(tmp_path, capsys, monkeypatch):
    def dies(*_):
        raise TypeError("unhashable type: 'list'")

    monkeypatch.setattr("playahead.live.session.lines.parse_line", dies)
    (tmp_path / "rows.jsonl").write_text(AS_LINES)
    assert run(["live", str(tmp_path / "rows.jsonl"), "--json"]) == 2
    said = capsys.readouterr().err
    assert "source: its reader stopped (TypeError: unhashable type: 'list') (that is a defect" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("death", [TypeError("x"), MemoryError(), KeyError("a"), SystemExit(1), OSError(5, "gone")])
def test_no_thread_that_died_is_waited_for(death, monkeypatch, tmp_path):
    def dying(_):
        yield FeedRow(1, 5, 0)
        raise death

    lines = lines_of(dying)
    assert lines.next(5) == FeedRow(1, 5, 0)
    with pytest.raises((InputError, OSError)) as caught:
        lines.next(5)
    assert caught.value is death or caught.value.__cause__ is death

    monkeypatch.setattr(FrameSource, "_read_all", lambda *_: list(dying(None)))
    with pytest.raises((InputError, OSError)):
        FrameSource(str(tmp_path), InputSize(64, 64)).next(5)


@pytest.mark.parametrize("label", ["THROW IN", "Corner", "penalty", "Direct free-kick", "FREE KICK", "PASS", "GOAL"])
def test_a_label_says_the_same_in_a_line_as_in_a_file(label, tmp_path):
    marks = [{"gameTime": "1 - 00:10", "label": found, "position": "10000"} for found in ("PASS", label)]
    path = tmp_path / "spotter.json"
    path.write_text(json.dumps({"UrlLocal": "x", "predictions": marks}))
    (half,) = read_feed(path)
    row = parse_entry({"t_ms": 10_000, "action": label}, "line 1")
    assert isinstance(row, FeedRow)
    assert (row.code, row.setpiece) == (half.code[-1], half.setpiece[-1])
    said = parse_entry({"t_ms": 10_000, "action": label, "setpiece": "open play"}, "line 1")
    assert isinstance(said, FeedRow)
    assert said.setpiece == 0
