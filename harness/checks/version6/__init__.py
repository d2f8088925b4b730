"""What version 7 of the rules that judge has changed, as version 6 had it.

Frozen: packs that version 6, or one before it, judged are judged again by it. What is not here is the same in both.
"""
