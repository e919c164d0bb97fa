"""Formats that are known by their content and not read: tracking data, and some providers' events.

A message names the format and says what to give instead.
"""

from dataclasses import dataclass

from playahead.sources.reading import Recognise, holding, matching, starting

_JSON, _XML = b"{[", b"<"


@dataclass(frozen=True)
class UnreadFormat:
    """A format: what a message says of a file, how it is recognised, and what to give instead."""

    what: str
    recognises: Recognise
    instead: str


def _tracking(provider: str, recognises: Recognise, instead: str = "give the match's event feed") -> UnreadFormat:
    return UnreadFormat(f"is tracking data ({provider}), not events", recognises, instead)


def _events(provider: str, recognises: Recognise, instead: str = "convert it to SPADL") -> UnreadFormat:
    return UnreadFormat(f"holds events of {provider}, which are not read", recognises, instead)


_BY_KLOPPY = "load it with a kloppy that reads it, and give the dataset to read_kloppy_dataset"
UNREAD: tuple[UnreadFormat, ...] = (
    _tracking("Tracab, .dat", matching(r"\d+:(-?\d+,){5}-?[\d.]+;")),
    _tracking("Tracab, JSON", holding(_JSON, r'"FrameData"\s*:', r'"PlayerPositions"\s*:')),
    _tracking("EPTS", matching(r"\d+:(-?\d*\.\d+|NaN)?,")),
    _tracking("Metrica, CSV", starting(b",,,Home", b",,,Away"), "give Metrica's event file"),
    _tracking("Stats Perform MA25", matching(r"\d+;\d+,\d+,\d+:\d"), "give the match's MA3 file"),
    _tracking("Second Spectrum", holding(_JSON, r'"frameIdx"\s*:', r'"homePlayers"\s*:')),
    _tracking("PFF", holding(_JSON, r'"frameNum"\s*:', r'"homePlayers"\s*:'), "give PFF's event file"),
    _tracking("Signality", holding(_JSON, r'"utc_time"\s*:', r'"match_time"\s*:')),
    _tracking("HawkEye", holding(_JSON, r'"details"\s*:', r'"heId"\s*:')),
    _tracking(
        "SkillCorner",
        holding(_JSON, r'"frame"\s*:', r'"(image_corners_projection|trackable_object)"\s*:'),
        "give SkillCorner's dynamic events, a CSV",
    ),
    _tracking("Sportec", holding(_XML, r"<Positions\b"), "give Sportec's event file"),
    _tracking(
        "StatsBomb 360", holding(_JSON, r'"event_uuid"\s*:', r'"freeze_frame"\s*:'), "give StatsBomb's event file"
    ),
    _tracking("Common Data Format", holding(_JSON, r'"frame_id"\s*:', r'"ball_status"\s*:')),
    _events("SciSports", holding(_JSON, r'"(homeTeamFormationName|baseTypeName)"\s*:'), _BY_KLOPPY),
    _events("KoraStats", holding(_JSON, r'"_type"\s*:', r'"(guid_ref|primary_position_name)"\s*:'), _BY_KLOPPY),
    _events("Second Spectrum", holding(_JSON, r'"primaryTeam"\s*:', r'"startGameClock"\s*:')),
    _events("the Common Data Format", holding(_JSON, r'"event"\s*:\s*\{', r'"outcome_type"\s*:')),
    _events("Sportscode", holding(_XML, r"<ALL_INSTANCES\b")),
    UnreadFormat("is packed with bzip2", starting(b"BZh"), "unpack it first"),
)


def unread_format(head: bytes) -> UnreadFormat | None:
    """The format that the first bytes of a file are of; None if they are of none of these."""
    return next((one for one in UNREAD if one.recognises(head)), None)
