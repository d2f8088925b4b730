"""What stacks are made of, whichever kind runs them: each part is written once, against the page `ground`."""
