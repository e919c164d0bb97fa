"""Action spotters that others have trained, each run as a process of its own, in its own environment."""
