"""What is drilled: the features, read and collected, each scenario once."""
