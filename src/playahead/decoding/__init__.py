"""From what the heads say to anticipated actions. NumPy only: nothing from here on knows tensors."""
