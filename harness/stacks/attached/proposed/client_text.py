"""The client of a proposal, and its books: how customers write and what must agree, which nobody can guess.

The values are examples that can be read.
"""

from __future__ import annotations

from harness.stacks.attached.proposed.proposal import Proposal


def client_text(found: Proposal) -> str:
    """`client.yaml`."""
    return f"""\
# How customers of {found.name} write, and how what is stored is read back. Nobody can guess it: what is marked FILL IN
# is an example, and until it is right no drill begins: each writes one transaction first, and reads it back.
# `drdrill stack check stack.yaml` tries it. docs/projects.md says all of it.
format: 1

draws:                               # FILL IN: what a transaction says besides its key
  amount: {{money: 1..100}}            # or {{integer: 1..9}}, {{letters: 12}}, {{one of: [red, blue]}}

write:
  request: POST /orders              # FILL IN: what stores one
  # headers:
  #   X-Api-Key: ${{secret:api key}}   # stack.yaml says under `secrets` where it is read
  body:                              # FILL IN
    reference: ${{key}}                # the platform keeps it as it is: <run>/<scenario>/<group>-<number>
    amount: ${{amount}}                # without quotes: a number
  stored:                            # FILL IN: only this is "told that it is stored"
    status: [201]
    body:
      reference: ${{key}}
  not stored: {{status: [400, 401, 403, 404, 409, 422]}}  # surely not; whatever else comes is in doubt

{_READ_SQL if found.database else _READ_REQUEST}
# clean up:                          # left out: what drills have written stays, and the pack says how much
#   request: DELETE /orders/${{key}}
#   gone: {{status: [204, 404]}}
"""


_READ_SQL = """\
read:                                # FILL IN: one row each, with a column for the key and for each that is drawn
  sql: SELECT reference AS key, amount FROM orders WHERE reference LIKE ${prefix}
"""
_READ_REQUEST = """\
read:                                # FILL IN: asked for each that was sent; with a database rather `sql:`
  request: GET /orders/${key}
  there:
    status: [200]
    body:
      reference: ${key}
      amount: ${amount}
  gone: {status: [404]}
"""


def books_text(found: Proposal) -> str:
    """`books.yaml`, of a platform whose database can be read."""
    return f"""\
# What must agree in the data of {found.name}: each query gives one number. Nothing asks for it until a feature says
# `And the books are checked` before anything is hurt, and `And the books agree with those from before` in the end.
format: 1
books:
  orders without a customer:         # FILL IN: what must never be
    sql: SELECT count(*) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id IS NULL
    is: 0
  customers:                         # FILL IN: what may grow, and must not shrink
    sql: SELECT count(*) FROM customers
    at least: as before
"""
