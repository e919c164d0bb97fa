"""FAANTRA end to end: from gray frames to anticipations in one network, trained as a whole."""
