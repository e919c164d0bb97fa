"""A simulated broadcast: plays rendered as a camera might show them. A test bed; nothing here is a football result."""
