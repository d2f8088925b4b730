"""restore_command: fetch one WAL file by Barman's cloud tools, and the next few with it.

    python -I fetch.py SETTINGS %f %p SPOOL [BEFORE]

Barman's start-up costs more than a segment, so each start fetches several; those that wait are handed over without
starting Barman at all. Barman's own `--parallel` is not used: where a download fails in its background, it leaves the
broken file in the spool and hands it over with exit code 0. And each file is compared with its digest.
From the segment BEFORE on, the archive counts as ended.

Exit codes, as PostgreSQL reads them: 1, the archive ends here; above 125, recovery must not go on. A store that
cannot be reached is never taken for the end of the archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

AHEAD = 7  # segments fetched with the one asked for: at most 112 MiB in the spool
ENDS_HERE = 1
CANNOT_GO_ON = 200
SEGMENT = 16 << 20  # bytes; not imported from harness/stacks/parts/wal.py, which would cost the harness's imports
PER_LOG = (1 << 32) // SEGMENT


class Missing(Exception):
    """The file is not in the archive."""


class Damaged(Exception):
    """The file is in the archive and is not what PostgreSQL wrote."""


def main(settings: dict[str, Any], name: str, target: Path, spool: Path, before: str = "") -> int:
    """Returns the exit code."""
    if before and "." not in name and name[8:] >= before[8:]:
        print(f"{name}: recovery was ordered to end before {before}", file=sys.stderr)
        return ENDS_HERE
    waiting = spool / name
    if waiting.exists():
        shutil.move(waiting, target)
        return 0
    if name.endswith(".history"):
        # PostgreSQL looks for histories before and after replay: whatever was fetched ahead is not needed any more.
        shutil.rmtree(spool, ignore_errors=True)
    try:
        fetch = _barman(settings)
        fetch(name, target)
        _fetch_ahead(fetch, name, spool)
    except Missing:
        if not name.endswith(".history"):
            print(f"{name} is not in the archive, which ends before it", file=sys.stderr)
        return ENDS_HERE
    except Damaged as error:
        print(f"DAMAGED: {name}: {error}; the archive ends before it", file=sys.stderr)
        return ENDS_HERE
    except Exception as error:
        print(f"{name} cannot be fetched, recovery must not go on: {error}", file=sys.stderr)
        return CANNOT_GO_ON
    return 0


def _barman(settings: dict[str, Any]) -> Any:
    """A function that brings a file of the archive to a path. Errors: `Missing`, `Damaged`, or Barman's own."""
    os.environ.update(settings["env"])
    # Imported here: a waiting file must be handed over in milliseconds.
    import gzip  # noqa: PLC0415  see above
    import logging  # noqa: PLC0415  see above
    import zlib  # noqa: PLC0415  see above

    from barman.clients.cloud_cli import OperationErrorExit  # noqa: PLC0415  see above
    from barman.clients.cloud_compression import decompress_to_file  # noqa: PLC0415  see above
    from barman.clients.cloud_walrestore import parse_arguments  # noqa: PLC0415  see above
    from barman.cloud import CloudWalDownloader  # noqa: PLC0415  see above
    from barman.cloud_providers import get_cloud_interface  # noqa: PLC0415  see above

    logging.disable()  # Barman's errors are said once, by `main`, and a missing history is none
    options = ["--no-partial", "--addressing-style", "path"]
    config = parse_arguments([*options, settings["wal_url"], settings["server_name"], "name", "target"])
    store = get_cloud_interface(config)

    def checked_download(key: str, target: str, compression: str) -> None:
        """In place of Barman's, which unpacks whatever it gets: not every flipped bit disturbs the unpacking."""
        content = store.remote_open(key).read()
        record = store.remote_open(f"{settings['digests']}/{Path(key).name.removesuffix('.gz')}.json")
        if record is None:
            print(f"{key} has no digest recorded: nobody can say that it is sound", file=sys.stderr)
        elif json.loads(record.read())["stored_sha256"] != hashlib.sha256(content).hexdigest():
            raise Damaged("its digest is not the one recorded when it was archived")
        with Path(target).open("wb") as sink:
            decompress_to_file(io.BytesIO(content), sink, compression)

    store.download_file = checked_download
    downloader = CloudWalDownloader(cloud_interface=store, server_name=config.server_name)

    def fetch(name: str, target: Path) -> None:
        try:
            downloader.download_wal(name, str(target), no_partial=True, parallel=0)
        except OperationErrorExit:
            raise Missing from None
        except SystemExit as ended:
            raise RuntimeError(f"Barman ended with {ended.code}") from None
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise Damaged(str(error)) from None
        if "." not in name and target.stat().st_size != SEGMENT:
            raise Damaged(f"it has {target.stat().st_size} bytes")

    return fetch


def _fetch_ahead(fetch: Any, name: str, spool: Path) -> None:
    """Bring the segments that follow into the spool, up to the first that cannot be had: it will be asked for again."""
    for following in _following(name):
        spool.mkdir(exist_ok=True)
        unfinished = spool / f"{following}.unfinished"
        try:
            fetch(following, unfinished)
        except Exception:  # whatever it is, the start that is asked for this segment says it
            unfinished.unlink(missing_ok=True)
            return
        unfinished.rename(spool / following)


def _following(name: str) -> list[str]:
    if "." in name:
        return []
    number = int(name[8:16], 16) * PER_LOG + int(name[16:], 16)
    return [f"{name[:8]}{n // PER_LOG:08X}{n % PER_LOG:08X}" for n in range(number + 1, number + 1 + AHEAD)]


if __name__ == "__main__":
    settings_file, wanted, to, waiting, *ordered_end = sys.argv[1:]
    sys.exit(main(json.loads(Path(settings_file).read_text()), wanted, Path(to), Path(waiting), *ordered_end))
