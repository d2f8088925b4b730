# api.sh: one LNbits, in the foreground. The first one that serves makes the desk's wallet, whose key is in api.key.
set -u
wallet() {
  until curl -fsS -m 5 -o /dev/null http://127.0.0.1:5000/api/v1/health 2>/dev/null; do sleep 1; done
  key=$(cat /desk/api.key)
  until bash /desk/has-wallet.sh; do
    id=$(curl -fsS -m 20 -X POST -H 'Content-Type: application/json' -d '{"name": "desk"}' \
      http://127.0.0.1:5000/api/v1/account | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
    # without a currency no rates are asked for
    psql -q "$LNBITS_DATABASE_URL" -c "update wallets set adminkey = '$key', currency = null
      where id = '$id' and not exists (select from wallets where adminkey = '$key')"
    sleep 1
  done
}
wallet &
exec python3 bin/lnbits --host 0.0.0.0 --port 5000
