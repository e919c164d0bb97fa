"""Additions to the paper's model and losses, and pieces for ablations; nothing here is the paper's.

``config`` has the settings beside the paper's, ``model`` and ``losses`` put other pieces into ``paper.Anticipator`` and
``paper.losses.Criterion`` where the settings say so. With their defaults, they build the paper.
"""
