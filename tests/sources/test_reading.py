"""Gzipped files and other Unicode encodings are read like the file that they hold, whoever the provider is."""

import gzip
import json

import pytest

from playahead.domain.actions import Action
from playahead.io.errors import InputError
from playahead.sources import reading
from playahead.sources.feeds import read_feed, reader_of
from playahead.sources.soccernet import read_bas_match
from tests.support.provider_files import FORMS, Play, rows_in_form as rows, save_form as save

FOUND = [Play(half, second, Action.PASS, 0, 50) for half in (1, 2) for second in (5, 9)]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.provider)
def test_events_and_companions_are_read_packed_and_in_any_unicode(tmp_path, form, encoding, packed):
    text = form.written(form.entries(FOUND))
    plain = rows(read_feed(save(tmp_path, form, text)), form)
    folder = tmp_path / "packed"
    folder.mkdir()
    for name, content in {**form.beside(), form.name: text}.items():
        data = content.encode(encoding)
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)
    assert rows(read_feed(path), form) == plain
    assert plain


def test_xml_in_utf_16_no_longer_says_so():
    text = '<?xml version="1.0" encoding="UTF-16" standalone="yes"?><Games/>'
    wanted = b'<?xml version="1.0" standalone="yes"?><Games/>'
    assert reading._as_utf8(text.encode("utf-16"), "strict") == wanted
    assert reading._as_utf8(b'<?xml version="1.0" encoding="latin-1"?>\xe9', "strict").endswith(b"\xe9")


def test_labels_are_read_packed(tmp_path):
    path = tmp_path / "Labels-ball.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"annotations": [{"gameTime": "1 - 00:10", "label": "PASS"}]}).encode()))
    assert len(read_bas_match(path)[1]) == 1


def test_a_bomb_is_refused_without_unpacking_it(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 1_000_000)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b'{"predictions": [{"label": "' + bytes(20_000_000)))
    assert path.stat().st_size < 100_000
    assert reader_of(path) is not None  # known by its first bytes
    with pytest.raises(InputError, match=r"bomb.json.gz: SoccerNet spotting: unpacks to more than 1 MB"):
        read_feed(path)


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:40] + b"\0\1\2" + b[43:], lambda b: b[:11]])
def test_a_damaged_gzip_is_one_line(tmp_path, damage):
    whole = gzip.compress(json.dumps({"predictions": [{"gameTime": "1 - 00:10", "label": "PASS"}] * 30}).encode())
    path = tmp_path / "cut.json.gz"
    path.write_bytes(damage(whole))
    with pytest.raises(InputError, match=r"cannot be unpacked|is not an event feed") as refused:
        read_feed(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", ["a;\xe9".encode("latin-1"), b"\xff\xfea"])
def test_bytes_in_no_unicode_are_no_text(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"a.csv: (cannot be read as text|not text)"):
        reading.read_source_text(tmp_path / "a.csv")
