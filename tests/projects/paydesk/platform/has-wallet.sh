# has-wallet.sh: whether this LNbits serves, and knows the desk's wallet.
exec curl -fsS -m 4 -o /dev/null -H "X-Api-Key: $(cat /desk/api.key)" http://127.0.0.1:5000/api/v1/wallet 2>/dev/null
