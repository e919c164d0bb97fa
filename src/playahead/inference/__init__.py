"""Weights and an observation -> predictions -> anticipations."""
