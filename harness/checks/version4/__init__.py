"""What version 5 of the rules that judge has changed, as version 4 had it.

Frozen: packs that version 4, or one before it, judged are judged again by it. What is not here is the same in both.
"""
