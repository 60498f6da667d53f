"""Every training of the study, and the page of its results."""
