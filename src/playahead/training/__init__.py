"""How the model learns (PAPER.md 1.4): match, compare, descend."""
