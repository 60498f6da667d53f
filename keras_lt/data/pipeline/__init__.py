"""Batches of images, whatever they are made with."""
