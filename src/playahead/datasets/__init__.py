"""Examples cut out of tracks, with what followed them; drawn and mixed for training."""
