"""Colours and short names, the same in the page, the overlay and the charts."""

from playahead.domain.actions import Action

# People who confuse red and green can distinguish them (after Okabe and Ito); a name always stands beside.
COLOURS = {
    Action.PASS: "#56B4E9",
    Action.DRIVE: "#009E73",
    Action.HEADER: "#F0E442",
    Action.HIGH_PASS: "#0072B2",
    Action.THROW_IN: "#CC79A7",
    Action.CROSS: "#E69F00",
    Action.SHOT: "#D55E00",
    Action.OUT: "#BBBBBB",
    Action.BLOCK: "#9467BD",
    Action.TACKLE: "#8C564B",
}
TEAM_COLOURS = ("#1f6feb", "#d1495b")
"""Of both teams in pictures."""
SHORT = {Action.BLOCK: "Block", Action.TACKLE: "Tackle"}

LIGHT = {
    "page": "#f7f7f5",
    "panel": "#ffffff",
    "ink": "#1c1c1a",
    "soft": "#5c5c57",
    "line": "#d5d5cf",
    "now": "#c4281c",
    "good": "#1d7a3d",
    "bad": "#b3261e",
}
DARK = {
    "page": "#141513",
    "panel": "#1e1f1c",
    "ink": "#ecece8",
    "soft": "#a6a69f",
    "line": "#3a3b37",
    "now": "#ff6a5c",
    "good": "#5fd08a",
    "bad": "#ff8a80",
}
"""Colours of a page by day and by night; the overlay is drawn by night."""

PAST_SHARE = 0.6
"""Share of the lanes' width for the last 30 s; the rest is the coming 5 s."""


def short_name(action: Action) -> str:
    """``"High pass"``, ``"Block"``: a name that fits on a mark."""
    return SHORT.get(action, str(action).capitalize())
