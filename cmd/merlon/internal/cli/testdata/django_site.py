"""Django's own admin on a free port of loopback, with a view that fails and pages that print the nonce. Prints the port
when it is ready.

usage: django_site.py DIRECTORY [https]   (the directory is for the database; https wants browsers to use it, as shop.localhost)

The environment's MERLON_PLACEHOLDER_FILE names the file with the placeholder.
"""
import json
import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

DIR = sys.argv[1]

HTTPS = {}
if sys.argv[2:] == ["https"]:
    HTTPS = dict(
        SECURE_SSL_REDIRECT=True,
        SECURE_REDIRECT_EXEMPT=["^seen/"],
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        USE_X_FORWARDED_HOST=True,  # nothing needs it; here it shows that the header is the gateway's
    )
settings.configure(
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["127.0.0.1", "shop.localhost", "other.localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        __name__ + ".frame_exempt",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
            __name__ + ".nonce",
        ]},
    }],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(DIR, "db.sqlite3")}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    STATIC_URL="/static/",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    **HTTPS,
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.clickjacking import xframe_options_exempt, xframe_options_sameorigin  # noqa: E402


def boom(request):
    raise RuntimeError("on purpose")


def scheme(request):
    from django.http import HttpResponse
    return HttpResponse("%s %s" % (request.scheme, request.get_host()), content_type="text/plain")


def seen(request):
    from django.http import HttpResponse
    about = {name: value for name, value in request.META.items() if name.startswith("HTTP_") or name in ("PATH_INFO", "QUERY_STRING")}
    return HttpResponse(json.dumps([request.scheme, request.get_host(), about], sort_keys=True), content_type="application/json")


# What docs/frameworks.md shows.
PLACEHOLDER = Path(os.environ["MERLON_PLACEHOLDER_FILE"]).read_text().strip()


def nonce(request):
    return {"nonce": PLACEHOLDER}


FORWARD = """
<script nonce="{{ request.META.HTTP_MERLON_NONCE }}">
"""
PRINTED = """
<script nonce="{{ nonce }}">
"""

PAGE = """<!doctype html><title>t</title><p id=out></p>
{{ request.GET.q | safe }}%sdocument.getElementById("out").textContent = "ran"</script>"""


def forward(request):
    from django.http import HttpResponse
    from django.template import engines
    return HttpResponse(engines["django"].from_string(PAGE % FORWARD).render({}, request))


def placeholder(request):
    from django.http import HttpResponse
    from django.template import engines
    return HttpResponse(engines["django"].from_string(PAGE % PRINTED).render({}, request))


def badge(request):
    from django.http import HttpResponse
    return HttpResponse("<!doctype html><title>badge</title>")


# What docs/frameworks.md shows.
def frame_exempt(get_response):
    def middleware(request):
        response = get_response(request)
        if getattr(response, "xframe_options_exempt", False):
            response["Merlon-Route"] = "frame-exempt"
        return response
    return middleware


def nothing(request):
    from django.http import HttpResponse
    return HttpResponse(status=204)


urlpatterns = [
    path("admin/", admin.site.urls), path("boom/", boom), path("scheme/", scheme), path("seen/", seen),
    path("forward", forward), path("placeholder", placeholder), path("favicon.ico", nothing),
    path("badge/exempt", xframe_options_exempt(badge)), path("badge/own", xframe_options_sameorigin(badge)), path("badge/plain", badge),
    path("elsewhere/exempt", xframe_options_exempt(badge)),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


call_command("migrate", verbosity=0)
User.objects.create_superuser("root", "root@localhost.invalid", "correct horse")
server = make_server("127.0.0.1", 0, StaticFilesHandler(get_wsgi_application()), Server, Quiet)
print(server.server_port, flush=True)
server.serve_forever()
