"""A Stats Perform match (MA3, JSON) written as Opta writes it (F24): python ma3_as_f24.py MA3 F24.

Both formats hold the same events under other names. No whole F24 match is public, so this stands for one.
"""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

_NAMES = {
    **{"id": "id", "eventId": "event_id", "typeId": "type_id", "periodId": "period_id", "timeMin": "min"},
    **{"timeSec": "sec", "playerId": "player_id", "contestantId": "team_id", "outcome": "outcome", "x": "x", "y": "y"},
}


def main(ma3: Path, f24: Path) -> None:
    """Write the file."""
    root = json.loads(ma3.read_text())
    home, away = (team["id"] for team in root["matchInfo"]["contestant"])
    games = ElementTree.Element("Games")
    game = ElementTree.SubElement(games, "Game", id=root["matchInfo"]["id"], home_team_id=home, away_team_id=away)
    for event in root["liveData"]["event"]:
        said = {ours: str(event[theirs]) for theirs, ours in _NAMES.items() if theirs in event}
        row = ElementTree.SubElement(game, "Event", said, timestamp=event["timeStamp"].rstrip("Z"))
        for qualifier in event.get("qualifier", []):
            told = {"qualifier_id": str(qualifier["qualifierId"]), "value": str(qualifier.get("value", ""))}
            ElementTree.SubElement(row, "Q", told)
    ElementTree.ElementTree(games).write(f24, encoding="utf-8", xml_declaration=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
