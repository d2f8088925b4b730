# What the steps share; each of them is a script of its own, and is read by `. common.sh` with SOURCE set.
# Settings, all of them variables, so that no shell ever reads what is in them as its own:
#   DRILL            the drill, a cadence, or `due`          DRILL_NONCE      a word that an auditor has chosen
#   DRILL_PROJECT    the folder of the project               DRILL_ARGUMENTS  more words for `drdrill run`, one a line
#   DRILL_STACK      a kind of stack, or a stack file        DRILL_EXTRAS     of the package: embedded, docker
#   DRILL_EVIDENCE   the folder of the packs                 DRILL_KEY_PEM    the signing key itself, from a secret
#   DRILL_OUT        what the steps hand to each other       DRILL_KEY_FILE   or a file that holds it
#   DRILL_VENV       where drdrill is installed              DRILL_LINK       where people find the evidence
EVIDENCE=${DRILL_EVIDENCE:-evidence}
OUT=${DRILL_OUT:-drdrill-out}
VENV=${DRILL_VENV:-${RUNNER_TEMP:-.drdrill}/drdrill}
PROGRAM=$VENV/bin/drdrill
KEY=$VENV/key.pem # in no folder that is kept, and where the next step removes it, whatever became of this one

refuse() { # WHAT HINT
    printf 'error: %s\nHINT: %s\n' "$1" "$2" >&2
    exit 3
}

forget_last_run() { # on a runner that keeps its folders: a step that never ran must not seem to have
    rm -f "$OUT"/begun "$OUT"/exit "$OUT"/said "$OUT"/packs "$OUT"/summary.md "$OUT"/junit-*.xml
}

forget_key() { rm -f "$KEY"; }

with_key() { # the signing key as a file that nobody else can read; without one drdrill makes or finds its own
    [ -n "${DRILL_KEY_PEM:-}${DRILL_KEY_FILE:-}" ] || return 0
    [ -z "${DRILL_KEY_FILE:-}" ] || [ -r "$DRILL_KEY_FILE" ] || refuse "the signing key cannot be read" \
        "DRILL_KEY_FILE names a file that holds it, as a variable of the type File does"
    trap forget_key EXIT
    forget_key
    (
        umask 077
        if [ -n "${DRILL_KEY_PEM:-}" ]; then printf '%s\n' "$DRILL_KEY_PEM"; else cat "$DRILL_KEY_FILE"; fi >"$KEY"
    ) || refuse "there is no room for the signing key" "is there a folder $VENV, and may you write there?"
    DRDRILL_KEY=$(cd "$VENV" && pwd)/key.pem
    export DRDRILL_KEY
    unset DRILL_KEY_PEM DRILL_KEY_FILE
}

code_of_run() { # its exit code; `none` where it was killed, or never began
    code=$(cat "$OUT/exit" 2>/dev/null)
    case $code in '' | *[!0-9]*) code=none ;; esac
    echo "$code"
}

packs_there() { # every sealed pack, a folder a line
    [ ! -d "$EVIDENCE" ] ||
        find "$EVIDENCE" -mindepth 2 -maxdepth 2 -name pack.dsse.json | sed 's,/[^/]*$,,' | LC_ALL=C sort
}
