"""The till's service: it stores payments with whoever leads the database."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

WHERE = "host=db-1,db-2 port=5432 user=app dbname=till target_session_attrs=read-write connect_timeout=2"


class Till(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say(200 if self.path == "/alive" else 404, {})

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            connection = psycopg2.connect(WHERE)
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute(
                        "insert into payments values (%s, %s) on conflict do nothing", (said["key"], said["cents"])
                    )
            finally:
                connection.close()
        except psycopg2.Error as error:
            self.say(503, {"error": str(error)[:200]})
        else:
            self.say(201, {"key": said["key"]})

    def say(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


ThreadingHTTPServer(("0.0.0.0", 5000), Till).serve_forever()
