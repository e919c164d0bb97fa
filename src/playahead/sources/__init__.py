"""Where football comes from. A provider's quirks and field names stop at its reader."""
