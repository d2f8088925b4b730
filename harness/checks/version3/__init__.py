"""What version 4 of the rules changed, as version 3 has it."""
