"""A stack file and a project to begin with, proposed from a compose file or from a few answers: `drdrill init`.

    compose_file.py  what of a compose file is looked at; its secrets are not among it
    guesses.py       what a service is there for, and how it is asked, each with the reason for the guess
    proposal.py      all of it as plain values, which answers change
    from_compose.py  a proposal from a compose file;  from_answers.py  one from names alone
    stack_text.py    the stack file;  plan_text.py, feature_text.py, client_text.py  the project
    files.py         all files of it, by their names

A guess stands in the file with its reason. What cannot be guessed is an example in a comment.
"""
