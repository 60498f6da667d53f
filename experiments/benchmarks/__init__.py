"""Speeds: ours beside Keras and PyTorch."""
