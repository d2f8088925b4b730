"""Whether a platform can be drilled as its stack file says, found out by asking: nothing of it is hurt.

line.py        what one question has found
at_once.py     questions that are independent, all at once, each with a limit of its own
platform.py    what is asked: the components, acts and secrets of one file
*_asked.py     the questions, one file for each part of the stack file
check.py       all of them, in their order
"""
