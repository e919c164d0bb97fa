"""Wyscout's names and tag ids, grouped as the rules need them. A *kind* is a ``subEventName``."""

HEAD_OR_BODY_TAG = 403
WON_TAG = 703
HIGH_BALL_TAG = 801
MISSED_BALL_TAG = 1302
INTERCEPTION_TAG = 1401
SLIDING_TACKLE_TAG = 1601
TAKE_ON_TAGS = frozenset({501, 502, 503, 504})
"""Free space right, left; take on left, right."""

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
