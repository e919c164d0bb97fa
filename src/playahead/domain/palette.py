"""How actions look where people see them: a colour and a short name each."""

from playahead.domain.actions import Action

# Told apart by people who do not see red and green alike (after Okabe and Ito), and always named beside.
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
SHORT = {Action.BLOCK: "Block", Action.TACKLE: "Tackle"}


def short_name(action: Action) -> str:
    """``"High pass"``, ``"Block"``: a name that fits on a mark."""
    return SHORT.get(action, str(action).capitalize())
