"""An HTTP server that asks nobody for its own name: where no name server answers, that takes many seconds."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from socketserver import TCPServer


class HttpServer(ThreadingHTTPServer):
    """A thread for each connection; none holds up its end."""

    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self) -> None:
        """As the standard library does, but for the look-up of the name, which nothing here uses."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
