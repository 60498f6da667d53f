"""What takes the place of the step that Keras compiles."""
