# db.sh OTHER first|copy: one of two database servers. One that led, and finds that the other leads, becomes its copy.
set -eu
D=/var/lib/postgresql/data
PATH=/usr/lib/postgresql/15/bin:$PATH
leads() { [ "$(PGCONNECT_TIMEOUT=2 psql -XAt -h "$1" -U postgres -c 'select pg_is_in_recovery()' postgres 2>/dev/null)" = f ]; }
clone() {
  rm -rf "$D"
  until pg_basebackup -h "$1" -U postgres -D "$D" -R -X stream -c fast; do sleep 0.5; done
}
if [ ! -s $D/PG_VERSION ]; then
  if [ "$2" = first ]; then
    initdb -D $D -A trust >/dev/null
    printf "%s\n" "listen_addresses='*'" wal_level=replica hot_standby=on wal_keep_size=256MB "unix_socket_directories='/tmp'" \
      wal_receiver_timeout=5s wal_sender_timeout=5s wal_retrieve_retry_interval=1s >>$D/postgresql.conf
    printf "%s\n" 'host all all 0.0.0.0/0 trust' 'host replication all 0.0.0.0/0 trust' >>$D/pg_hba.conf
    pg_ctl -D $D -w -o '-c listen_addresses=' start >/dev/null
    psql -q -h /tmp -c "create role app login" -c "create database till owner app" \
      -c "create role drill login password 'word-of-the-drill' in role pg_monitor, pg_read_all_data" postgres
    psql -q -h /tmp -U app -c "create table payments (key text primary key, cents text not null)" till
    pg_ctl -D $D -w -m fast stop >/dev/null
  else
    clone "$1"
  fi
elif [ ! -e $D/standby.signal ] && leads "$1"; then
  clone "$1"
fi
exec postgres -D $D
