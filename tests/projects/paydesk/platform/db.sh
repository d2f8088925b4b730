# db.sh primary | db.sh standby PRIMARY: one of two database servers. Whoever has data goes on with it as it is.
set -eu
D=$PGDATA
if [ ! -s "$D/PG_VERSION" ]; then
  if [ "$1" = primary ]; then
    initdb -D "$D" -A trust -k >/dev/null
    printf "%s\n" "listen_addresses='*'" wal_level=replica wal_log_hints=on hot_standby=on wal_keep_size=256MB \
      wal_receiver_timeout=5s wal_sender_timeout=5s wal_retrieve_retry_interval=1s "unix_socket_directories='/tmp'" \
      >>"$D/postgresql.conf"
    printf "%s\n" 'host all all 0.0.0.0/0 trust' 'host replication all 0.0.0.0/0 trust' >>"$D/pg_hba.conf"
    pg_ctl -D "$D" -w -o '-c listen_addresses=' start >/dev/null
    psql -q -h /tmp -c "create role app login password 'app'" -c "create database lnbits owner app" \
      -c "create role reader login in role pg_monitor, pg_read_all_data" postgres
    pg_ctl -D "$D" -w -m fast stop >/dev/null
  else
    until pg_basebackup -h "$2" -U postgres -D "$D" -R -X stream -c fast; do sleep 1; done
  fi
fi
exec postgres -D "$D"
