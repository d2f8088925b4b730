# rejoin.sh SERVER LEADER: a database server that led becomes a copy of who leads now. What only it had is lost.
# Harmless when repeated: what it has goes only once the copy is whole, and a clone that was left behind goes first.
set -eu
project=$(sed -n 's/^name: //p' "$(dirname "$0")/compose.yaml")
one=$(docker ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1")
image=$(docker inspect --format '{{.Config.Image}}' "$one")
docker rm -f "$project-rejoin" >/dev/null 2>&1 || true
docker stop "$one" >/dev/null
docker run --rm --name "$project-rejoin" --volumes-from "$one" --network "${project}_default" --user postgres \
  --env PGDATA=/var/lib/postgresql/data --env PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin --entrypoint bash "$image" -ec '
    rm -rf "$PGDATA.new"
    pg_basebackup -h "$0" -U postgres -D "$PGDATA.new" -R -X stream -c fast
    rm -rf "$PGDATA"
    mv "$PGDATA.new" "$PGDATA"' "$2"
docker start "$one" >/dev/null
