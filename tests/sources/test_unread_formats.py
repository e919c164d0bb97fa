"""Formats that are refused by name, each on a small head in its form."""

import bz2
import gzip
import json

import pytest

from playahead.inference.predict import predict
from playahead.io.errors import InputError
from playahead.live.session.open import live
from playahead.sources.feeds import matches_among, read_feed, reader_of
from playahead.sources.unread_formats import UNREAD, unread_format

PLAYERS = [{"playerId": "a", "xyz": [1.0, 2.0, 0.0]}]
HEADS: dict[str, str | bytes] = {
    "Tracab, .dat": "1000:0,1,9,6,-913,0.00;1,2,19,-1947,2020,0.00;:0,0,0,0.0,H,Alive;:\n",
    "Tracab, JSON": json.dumps({"FrameData": [{"FrameCount": 1, "PlayerPositions": [{"X": 6, "Y": -9}]}]}),
    "EPTS": "450:0.3,0.9,5,1.1;NaN,NaN,-1,NaN:0.5,0.5\n",
    "Metrica, CSV": ",,,Away,,Away,,\n,,,25,,15,,\nPeriod,Frame,Time [s],Player25,,Player15,,Ball\n",
    "Stats Perform MA25": "1598184000000;0,1,1:0,a1,9,52.8,23.6;:50.0,50.0,0.0\n",
    "Second Spectrum": json.dumps({"period": 1, "frameIdx": 0, "gameClock": 0.0, "homePlayers": PLAYERS}) + "\n",
    "PFF": json.dumps({"gameRefId": 1.0, "frameNum": 4226, "homePlayers": [{"jerseyNum": "21", "x": 1.0}]}) + "\n",
    "Signality": json.dumps([{"utc_time": 1728216001420, "idx": 0, "state": "running", "match_time": 12}]),
    "HawkEye": json.dumps({"details": {"match": {"id": {"heId": "b0a5"}}}, "samples": {"ball": []}}),
    "SkillCorner": json.dumps({"frame": 0, "period": None, "image_corners_projection": {}, "player_data": []}) + "\n",
    "Sportec": '<PutDataRequest><Positions EventTime="2020-06-05T22:16:02"><FrameSet/></Positions></PutDataRequest>',
    "StatsBomb 360": json.dumps([{"event_uuid": "bb", "visible_area": [1.0], "freeze_frame": [{"actor": True}]}]),
    "Common Data Format": json.dumps({"frame_id": 0, "period": "first_half", "ball_status": False}) + "\n",
    "SciSports": json.dumps({"metaData": {"homeTeamFormationName": "4-4-2"}, "data": [{"baseTypeName": "PASS"}]}),
    "KoraStats": json.dumps({"events": [{"_type": "event", "half": 1, "timeInSec": 4.0, "guid_ref": ""}]}),
    "Second Spectrum events": json.dumps({"eventType": "pass", "startGameClock": 9.2, "primaryTeam": "t"}) + "\n",
    "the Common Data Format": json.dumps({"event": {"type": "pass", "outcome_type": "successful"}}) + "\n",
    "Sportscode": "<file><ALL_INSTANCES><instance><ID>1</ID><start>3.6</start></instance></ALL_INSTANCES></file>",
    "packed with bzip2": bz2.compress(b"{}"),
}


def written(folder, head: str | bytes, name: str = "match.json"):
    (folder / name).write_bytes(head.encode() if isinstance(head, str) else head)
    return folder / name


def test_each_format_has_a_head_here():
    found = [unread_format(head.encode() if isinstance(head, str) else head) for head in HEADS.values()]
    assert found == list(UNREAD)


@pytest.mark.parametrize("name", HEADS)
def test_a_known_format_is_refused_by_name_wherever_it_is_given(name, tmp_path):
    path = written(tmp_path, HEADS[name])
    assert reader_of(path) is None
    uses = (read_feed, lambda path: predict(str(path)), lambda path: matches_among([path]))
    for use in (*uses, lambda path: list(live(str(path)))):
        with pytest.raises(InputError) as refused:
            use(path)
        assert name.removesuffix(" events") in str(refused.value)
        assert refused.value.fix
        assert "\n" not in str(refused.value)
        assert "known provider" not in str(refused.value)


def test_tracking_says_what_to_give_instead(tmp_path):
    path = written(tmp_path, gzip.compress(str(HEADS["Sportec"]).encode()), "positions.xml.gz")
    with pytest.raises(InputError, match=r"is tracking data \(Sportec\), not events \(give Sportec's event file\)"):
        read_feed(path)


@pytest.mark.parametrize("head", ["", "{", "<a/>", "12:", "1;2", "{}", "hello"])
def test_anything_else_is_not_known(head, tmp_path):
    with pytest.raises(InputError, match="is not an event feed of a known provider"):
        read_feed(written(tmp_path, head, "match.txt"))


def test_a_named_provider_overrules_it(tmp_path):
    path = written(tmp_path, HEADS["KoraStats"])
    with pytest.raises(InputError, match="event 0: has no 'matchPeriod'"):
        read_feed(path, provider="wyscout v2")
