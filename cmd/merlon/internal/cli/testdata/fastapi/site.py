"""FastAPI pages that print the nonce, on a free port of loopback. Prints the port when it is ready.

The environment's MERLON_PLACEHOLDER_FILE names the file with the placeholder.
"""
import os
import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates

app = FastAPI()
templates = Jinja2Templates(directory=os.path.dirname(__file__))

# What docs/frameworks.md shows.
templates.env.globals["nonce"] = Path(os.environ["MERLON_PLACEHOLDER_FILE"]).read_text().strip()


@app.get("/{mode}")
def page(request: Request, mode: str, q: str = ""):
    return templates.TemplateResponse(mode + ".html", {"request": request, "q": q})


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
