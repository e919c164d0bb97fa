"""A page that plays a match beside what was expected of it; it needs no server and no network."""
