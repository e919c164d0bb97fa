"""Live use: sessions, the server, the page, exported models."""
