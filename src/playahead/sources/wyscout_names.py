"""Wyscout's names and tag ids, grouped as the rules need them. A *kind* is a ``subEventName``."""

HEAD_OR_BODY_TAG = 403
WON_TAG = 703
HIGH_BALL_TAG = 801
MISSED_BALL_TAG = 1302
INTERCEPTION_TAG = 1401
SLIDING_TACKLE_TAG = 1601
TAKE_ON_TAGS = frozenset({501, 502, 503, 504})
"""Free space right, left; take on left, right."""

FAMILY_OF_ID = {
    1: "Duel",
    2: "Foul",
    3: "Free Kick",
    4: "Goalkeeper leaving line",
    5: "Interruption",
    6: "Offside",
    7: "Others on the ball",
    8: "Pass",
    9: "Save attempt",
    10: "Shot",
}
"""``eventName`` by ``eventId``: some exports give the number alone."""
KIND_OF_ID = {
    **{10: "Air duel", 11: "Ground attacking duel", 12: "Ground defending duel", 13: "Ground loose ball duel"},
    **{20: "Foul", 21: "Hand foul", 22: "Late card foul", 23: "Out of game foul", 24: "Protest", 25: "Simulation"},
    **{26: "Time lost foul", 27: "Violent Foul", 30: "Corner", 31: "Free Kick", 32: "Free kick cross"},
    **{33: "Free kick shot", 34: "Goal kick", 35: "Penalty", 36: "Throw in", 40: "Goalkeeper leaving line"},
    **{50: "Ball out of the field", 51: "Whistle", 70: "Acceleration", 71: "Clearance", 72: "Touch", 80: "Cross"},
    **{81: "Hand pass", 82: "Head pass", 83: "High pass", 84: "Launch", 85: "Simple pass", 86: "Smart pass"},
    **{90: "Reflexes", 91: "Save attempt", 100: "Shot"},
}
"""``subEventName`` by ``subEventId``."""

SETPIECE_OF_KIND = {
    "Throw in": 1,
    "Goal kick": 2,
    "Corner": 3,
    "Free Kick": 4,
    "Free kick cross": 4,
    "Penalty": 5,
    "Free kick shot": 5,
}
RESTARTS_AFTER_OUT = frozenset({"Throw in", "Goal kick", "Corner"})
OPEN_PASSES = frozenset({"Simple pass", "Smart pass", "Hand pass", "High pass", "Launch", "Head pass", "Cross"})
PASSES = OPEN_PASSES | RESTARTS_AFTER_OUT | {"Free Kick", "Free kick cross"}
CARRIED_TO = (OPEN_PASSES - {"Head pass"}) | {"Acceleration", "Touch", "Ground attacking duel"}
"""Events, beside a shot with the foot, that a carry may lead to."""
AERIAL_DELIVERIES = frozenset({"Cross", "Corner", "Free kick cross", "High pass", "Launch", "Throw in"})
SHOTS_AND_SAVES = frozenset({"Shot", "Free kick shot", "Penalty", "Reflexes", "Save attempt"})
ON_BALL_KINDS = PASSES | SHOTS_AND_SAVES | {"Acceleration", "Clearance", "Touch"}
STOPPAGE_FAMILIES = frozenset({"Foul", "Offside"})
SILENT_KINDS = frozenset({"Goalkeeper leaving line"})
"""Known events that never yield a row."""
