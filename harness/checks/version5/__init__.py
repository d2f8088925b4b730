"""What version 6 of the rules that judge has changed, as version 5 had it.

Frozen: packs that version 5, or one before it, judged are judged again by it. What is not here is the same in both.
"""
