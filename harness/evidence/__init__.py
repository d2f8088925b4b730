"""What a run leaves behind: the journal while it goes on, the sealed pack afterwards, and the verifier of both."""
