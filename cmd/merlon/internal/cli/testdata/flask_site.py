"""A Flask page that prints the nonce, on a free port of loopback. Prints the port when it is ready."""
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, render_template_string

app = Flask(__name__)


@app.route("/page/")
def page():
    return render_template_string("""<!doctype html><title>t</title><p id=out></p>
<script nonce="{{ request.headers.get('Merlon-Nonce', '') }}">document.getElementById("out").textContent = "ran"</script>
<script>document.title = "an injected script ran"</script>""")


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


server = make_server("127.0.0.1", 0, app, Server, Quiet)
print(server.server_port, flush=True)
server.serve_forever()
