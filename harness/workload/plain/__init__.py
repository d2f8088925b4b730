"""A client that is plain data: a file that says what customers send, which answer says that it is stored, and how it is
read back. `file` reads it and tells what is wrong with it; `client` is what customers are then given.
"""
