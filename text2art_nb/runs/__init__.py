"""What a run needs and takes, said before it begins."""
