#!/bin/sh
# HAProxy's external check: $3 is the address, $4 the port.
[ "$(PGCONNECT_TIMEOUT=1 psql -At -h "$3" -p "$4" -U postgres -c 'select pg_is_in_recovery()' postgres 2>/dev/null)" = f ]
