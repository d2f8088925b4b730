"""archive_command: store one WAL file by Barman's cloud tools, and its digest beside it.

    python -I archive.py SETTINGS %p

PostgreSQL starts this for every segment, so it imports nothing of the harness and pays Barman's start-up once.
It exits 0 only when file and digest are stored, and never replaces an archived file by another one.

The digest is written first as `storing` and after the file as `stored`. Killed at any moment, it leaves a store in
which a missing file that was once stored can be told from one that never was.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Seconds. PostgreSQL's shutdown waits for this: a leader that was cut off has to have stopped when the link is back.
REACHED = 2  # the store takes a connection at once, or is behind a link that is cut
GIVE_UP = 10  # for a link that is cut meanwhile
# An exit code above 125 ends PostgreSQL's archiver, which is started again within 10 s. After any other it would try
# three times, then wait for a minute; and a shutdown would wait for twice three tries.
AWAY = 126


def main(settings: dict[str, Any], path: Path) -> int:
    """Returns the exit code."""
    content = path.read_bytes()
    _reach(settings["env"]["AWS_ENDPOINT_URL_S3"])
    os.environ.update(settings["env"])
    # Imported here: the AWS client reads its environment early.
    from barman.clients.cloud_walarchive import CloudWalUploader, parse_arguments  # noqa: PLC0415  see above
    from barman.cloud_providers import get_cloud_interface  # noqa: PLC0415  see above
    from barman.xlog import hash_dir  # noqa: PLC0415  see above

    class Uploader(CloudWalUploader):  # type: ignore[misc]  # barman has no types
        """Barman's, without the time in gzip's header, so that a retry stores equal bytes; and packing only once."""

        packed = b""

        def retrieve_file_obj(self, wal_path: str) -> io.BytesIO:
            if not self.packed:
                with closing(super().retrieve_file_obj(wal_path)) as packed:
                    self.packed = packed.read()
                self.packed = self.packed[:4] + bytes(4) + self.packed[8:]
            return io.BytesIO(self.packed)

    # The lowest level: WAL is zeros or full pages, and the highest takes five times as long for a tenth less.
    options = ["--gzip", "--compression-level", "1", "--addressing-style", "path"]
    config = parse_arguments([*options, settings["wal_url"], settings["server_name"], str(path)])
    with closing(get_cloud_interface(config)) as store:
        uploader = Uploader(store, config.server_name, config.compression, config.compression_level)
        packed = uploader.retrieve_file_obj(str(path)).getvalue()
        client, bucket = store.s3.meta.client, settings["bucket"]
        record = f"{settings['digests']}/{path.name}.json"
        facts = {
            "v": 1,
            "name": path.name,
            "key": "/".join(  # as Barman builds it
                word
                for word in (store.path, config.server_name, "wals", hash_dir(str(path)), f"{path.name}.gz")
                if word
            ),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "stored_bytes": len(packed),
            "stored_sha256": hashlib.sha256(packed).hexdigest(),
        }

        def write(state: str) -> None:
            client.put_object(Bucket=bucket, Key=record, Body=json.dumps({**facts, "state": state}).encode())

        known = _find(client, bucket, record)
        if known and _find(client, bucket, facts["key"]):
            if json.loads(known)["sha256"] != facts["sha256"]:
                print(f"{path.name} is in the archive with other content: not replaced", file=sys.stderr)
                return 1
        else:
            write("storing")
            uploader.upload_wal(str(path))
        write("stored")
    return 0


def _find(client: Any, bucket: str, key: Any) -> bytes | None:
    from botocore.exceptions import ClientError  # noqa: PLC0415  (see main)

    try:
        content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    return content


def _reach(url: str) -> None:
    """End here where the store takes no connection."""
    at = urlsplit(url)
    try:
        socket.create_connection((str(at.hostname), at.port or 443), timeout=REACHED).close()
    except OSError as error:
        print(f"the store cannot be reached: {error}", file=sys.stderr)
        sys.exit(AWAY)


def _give_up(_signum: int, _frame: object) -> None:
    os.write(2, f"not archived within {GIVE_UP} s\n".encode())
    os._exit(AWAY)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(GIVE_UP)
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])))
