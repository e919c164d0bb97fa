"""Training the backbone as a ball action spotter, and reading what it spots."""
