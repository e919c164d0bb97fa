"""Trained models for programs without PyTorch: ONNX files, checked against what they were made from."""
