"""A platform that somebody else made, as a file describes it: found, drilled, and left as it was.

    file/        the stack file: read, checked, and as plain values (`described.StackFile`)
    maker.py     the kind: what makes a stack of a file, attaches to one, and removes what a run has brought up
    stack.py     the stack itself
    parts.py     its components, each with the verbs that its file gives it

Nothing that the run did not make is ever removed; nothing is changed but by a verb of a component.
"""
