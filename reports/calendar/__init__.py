"""What is due, and the gate."""
