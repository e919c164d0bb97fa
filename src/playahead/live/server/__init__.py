"""Anticipation over HTTP: sessions on running matches, and single questions."""
