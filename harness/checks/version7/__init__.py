"""What version 8 of the rules that judge has changed, as version 7 had it.

Frozen: packs that version 7, or one before it, judged are judged again by it. What is not here is the same in both.
"""
