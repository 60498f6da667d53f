"""Hyperparameters found by trials on held-out training images."""
