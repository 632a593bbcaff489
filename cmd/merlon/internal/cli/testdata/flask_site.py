"""Flask pages that print the nonce, on a free port of loopback. Prints the port when it is ready.

The environment's MERLON_PLACEHOLDER_FILE names the file with the placeholder.
"""
import os
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, render_template_string

app = Flask(__name__)

# What docs/frameworks.md shows.
PLACEHOLDER = Path(os.environ["MERLON_PLACEHOLDER_FILE"]).read_text().strip()


@app.context_processor
def nonce():
    return {"nonce": PLACEHOLDER}


FORWARD = """
<script nonce="{{ request.headers.get('Merlon-Nonce', '') }}">
"""
PRINTED = """
<script nonce="{{ nonce }}">
"""

PAGE = """<!doctype html><title>t</title><p id=out></p>
{{ request.args.get('q', '') | safe }}%sdocument.getElementById("out").textContent = "ran"</script>"""


@app.route("/forward")
def forward():
    return render_template_string(PAGE % FORWARD)


@app.route("/placeholder")
def placeholder():
    return render_template_string(PAGE % PRINTED)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


server = make_server("127.0.0.1", 0, app, Server, Quiet)
print(server.server_port, flush=True)
server.serve_forever()
