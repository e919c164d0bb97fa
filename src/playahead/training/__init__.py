"""How the model learns (docs/paper.md 1.4): match, compare, descend."""
