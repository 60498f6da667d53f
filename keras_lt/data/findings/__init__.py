"""What is to be known of images before a model learns them."""
