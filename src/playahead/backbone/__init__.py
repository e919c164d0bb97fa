"""The frozen spotting backbone (docs/paper.md 1.1): gray frames in, clip features out. Knows no video and no labels."""
