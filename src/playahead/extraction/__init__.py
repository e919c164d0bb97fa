"""Video -> stored features: every distinct window once, whatever stops it."""
