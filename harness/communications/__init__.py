"""Who is told what, when, by which channel, and what happens when one is down.

A message goes to a role or to a group: addresses are in the project's `contacts.yaml` and in no line of a journal.
Whatever is sent says that it is an exercise. Nothing here knows which platform it is, or that there is a drill.
"""
