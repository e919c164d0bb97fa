"""The frozen spotting backbone (docs/paper.md 1.1): gray frames in, snippet features out; no video, no labels."""
