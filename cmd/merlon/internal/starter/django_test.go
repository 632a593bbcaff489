package starter_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

const startproject = `
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
`

// What docs/from-django.md says there is in merlon.yaml.
func TestDjangoSettings(t *testing.T) {
	for _, c := range []struct {
		settings string
		want     []string
		sends    map[string]string // for / over HTTPS
	}{
		{startproject, []string{"From XFrameOptionsMiddleware, where X_FRAME_OPTIONS is not set."},
			map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}},
		{"X_FRAME_OPTIONS = 'SAMEORIGIN'", nil, map[string]string{"X-Frame-Options": "SAMEORIGIN"}},
		{"SECURE_FRAME_DENY = True\nSECURE_BROWSER_XSS_FILTER = True", []string{`x-xss-protection: "0"`}, map[string]string{"X-Frame-Options": "DENY", "X-Xss-Protection": "0"}},
		{"SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365\nSECURE_HSTS_INCLUDE_SUBDOMAINS = True", []string{"hsts: 365d"}, map[string]string{"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}},
		{"SECURE_HSTS_SECONDS = 3_600", []string{"hsts: 3600s"}, map[string]string{"Strict-Transport-Security": "max-age=3600"}},
		{"SECURE_HSTS_SECONDS = 0", []string{"withdraw in place of off makes browsers forget it"}, map[string]string{"Strict-Transport-Security": ""}},
		{"SECURE_REFERRER_POLICY = None\nSECURE_CROSS_ORIGIN_OPENER_POLICY = None\nSECURE_CONTENT_TYPE_NOSNIFF = False", nil, map[string]string{"Referrer-Policy": "", "Cross-Origin-Opener-Policy": "", "X-Content-Type-Options": ""}},
		{"SECURE_REFERRER_POLICY = ['no-referrer', 'same-origin']", nil, map[string]string{"Referrer-Policy": "no-referrer, same-origin"}},
		{"ALLOWED_HOSTS = ['.shop.example', 'localhost', '[::1]', 'Bad Host']", []string{`hosts: ["*.shop.example", "[::1]", localhost, shop.example]`, `"Bad Host" is not kept`}, nil},
		{"ALLOWED_HOSTS = ['*']", []string{"ALLOWED_HOSTS has *, which lets every name in"}, nil},
		{"ALLOWED_HOSTS = ['shop.example']\nSECURE_SSL_REDIRECT = True\nSECURE_REDIRECT_EXEMPT = [r'^insecure/']\nSECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTOCOL', 'https')\nUSE_X_FORWARDED_HOST = True",
			[]string{"redirect: true", `exempt: ["regexp:^insecure/"]`, "header: X-Forwarded-Protocol", "host-header: X-Forwarded-Host", "name under cidr the networks", "the gateway tells Django the scheme in X-Forwarded-Proto"}, nil},
		{"SECURE_SSL_REDIRECT = True\nSECURE_SSL_HOST = 'secure.example.com'\nSECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')", []string{"host: secure.example.com", "redirect: true"}, nil},
		{"SECURE_SSL_REDIRECT = True", []string{"plain HTTP is redirected to HTTPS now. Write redirect: true when"}, nil},
		{"SECURE_REDIRECT_EXEMPT = ['^(?!a)b']\nALLOWED_HOSTS = ['a.example']\nSECURE_SSL_REDIRECT = True\nSECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')", []string{`"regexp:^(?!a)b" is not kept`}, nil},
		{"SESSION_COOKIE_SECURE = True\nCSRF_COOKIE_SECURE = True\nSESSION_COOKIE_NAME = 'sid'", []string{"secure: true", "only: [sid, csrftoken]"}, nil},
		{"SESSION_COOKIE_SECURE = True\nSESSION_COOKIE_HTTPONLY = True\nSESSION_COOKIE_SAMESITE = 'Strict'\nCSRF_COOKIE_SECURE = True", []string{"http-only: true", "same-site: Strict", "only: [sessionid]", `"csrftoken" has other attributes`}, nil},
		{"SESSION_COOKIE_SAMESITE = 'None'", []string{`same-site "None" is not kept: "None": browsers refuse None without Secure`}, nil},
		{"CSRF_TRUSTED_ORIGINS = ['https://shop.example']", []string{"CSRF_TRUSTED_ORIGINS stays in Django"}, nil},

		// Policies of Django 6, django-csp 4 and django-csp 3.
		{"from django.utils.csp import CSP\nSECURE_CSP = {'default-src': [CSP.SELF], 'script-src': [CSP.SELF, CSP.NONCE], 'upgrade-insecure-requests': True, 'img-src': None}",
			[]string{"Print it in place of the application's own"}, map[string]string{"Content-Security-Policy": "default-src 'self'; script-src 'self' 'nonce'; upgrade-insecure-requests; frame-ancestors 'self'"}},
		{"from django.utils.csp import CSP\nSECURE_CSP_REPORT_ONLY = {'default-src': [CSP.NONE]}", nil, map[string]string{"Content-Security-Policy-Report-Only": "default-src 'none'"}},
		{"from csp.constants import NONCE, SELF as HERE\nCONTENT_SECURITY_POLICY = {'EXCLUDE_URL_PREFIXES': ['/legacy/', '/admin'], 'REPORT_PERCENTAGE': 10, 'DIRECTIVES': {'default-src': [HERE, 'cdn.example'], 'frame-ancestors': [HERE, 'https://partner.example'], 'report-uri': '/csp'}}",
			[]string{"report-sample: 10%", "match: /legacy/", "match: /admin", "match: /admin/", `"/admin" begins other paths too, such as "/adminx"`, `report-uri "/csp" is left out`}, map[string]string{"Content-Security-Policy": "default-src 'self' cdn.example; frame-ancestors 'self' https://partner.example"}},
		{"import csp.constants as c\nCONTENT_SECURITY_POLICY = {'DIRECTIVES': {'script-src': [c.STRICT_DYNAMIC, c.NONCE]}}", nil, map[string]string{"Content-Security-Policy": "script-src 'strict-dynamic' 'nonce'; frame-ancestors 'self'"}},
		{"CONTENT_SECURITY_POLICY = {}", nil, map[string]string{"Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'"}},
		{"CSP_DEFAULT_SRC = (\"'self'\",)\nCSP_IMG_SRC = (\"'self'\", 'data:')\nCSP_SCRIPT_SRC = [\"'self'\"]\nCSP_INCLUDE_NONCE_IN = ['script-src']\nCSP_UPGRADE_INSECURE_REQUESTS = True\nCSP_REPORT_PERCENTAGE = 0.1\nCSP_EXCLUDE_URL_PREFIXES = ('/old/',)",
			[]string{"report-sample: 10%", "match: /old/", "csp: off"}, map[string]string{"Content-Security-Policy": "default-src 'self'; img-src 'self' data:; script-src 'self' 'nonce'; upgrade-insecure-requests; frame-ancestors 'self'"}},
		{"CSP_REPORT_ONLY = True\nCSP_IMG_SRC = '*'", nil, map[string]string{"Content-Security-Policy-Report-Only": "default-src 'self'; img-src *"}},

		// What only running it could tell.
		{"import environ\nSECURE_HSTS_SECONDS = env.int('HSTS', 0)", []string{"settings.py:2: SECURE_HSTS_SECONDS is not known here, because its value is no literal: env.int('...', 0). Decide what it is in production."}, nil},
		{"X_FRAME_OPTIONS = 'DENY'\nif DEBUG:\n    X_FRAME_OPTIONS = 'SAMEORIGIN'", []string{"settings.py:3: X_FRAME_OPTIONS is not known here, because it depends on the block if at settings.py:2."}, map[string]string{"X-Frame-Options": "SAMEORIGIN"}},
		{"if DEBUG: SECURE_REFERRER_POLICY = 'origin'", []string{"SECURE_REFERRER_POLICY is not known here"}, nil},
		{"ALLOWED_HOSTS = ['a.example']\nALLOWED_HOSTS.append(env('HOST'))", []string{"ALLOWED_HOSTS is not known here, because it is changed by a line that is not read"}, nil},
		{"ALLOWED_HOSTS = ['a.example', env('HOST')]", []string{"hosts: [a.example]", "a part of ALLOWED_HOSTS is no literal, and is left out here."}, nil},
		{"ALLOWED_HOSTS = ['a.example']\nALLOWED_HOSTS += ['b.example']", []string{"hosts: [a.example, b.example]"}, nil},
		{"SECURE_HSTS_SECONDS, X = 1, 2", []string{"SECURE_HSTS_SECONDS is not known here, because it is one of several that are set together"}, nil},
		{"from .base import *\nX_FRAME_OPTIONS = 'DENY'", []string{"settings of another file are not read: settings.py:1: from .base import *"}, nil},
		{"X_FRAME_OPTIONS = 'DENY'\nCSRF_TRUSTED_ORIGINS = ['x\\n# y']\nSECURE_REFERRER_POLICY = 'origin\\nupstream: http://evil.example'", []string{`is not kept: it holds characters that are not printable ASCII`}, map[string]string{"X-Frame-Options": "DENY"}},
	} {
		r, err := starter.Django("settings.py", []byte(c.settings))
		file := read(t, r, err)
		wantSaid(t, r, c.want...)
		for header, want := range c.sends {
			if got := sent(file.Sites[0].Guard, "/", header); got != want {
				t.Errorf("%s\n%s: %s, want %s\n%s", c.settings, header, got, want, r.Text)
			}
		}
	}
}

// Secrets of a settings file are never shown, not even in the comment that says what is not read.
func TestDjangoSecrets(t *testing.T) {
	r, err := starter.Django("settings.py", []byte("SECRET_KEY = 'hunter2'\nSECURE_HSTS_SECONDS = f('hunter2')\nX_FRAME_OPTIONS = get(b'hunter2', key=\"hunter2\")\n"))
	read(t, r, err)
	if strings.Contains(string(r.Text), "hunter2") {
		t.Errorf("a secret is shown:\n%s", r.Text)
	}
}

func TestDjangoBases(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("base.py", "from .base import *\nDOMAIN = 'shop.example'\nX_FRAME_OPTIONS = 'DENY'\nSECURE_REFERRER_POLICY = 'origin'\n")
	write("production.py", "from .base import *\nfrom .secret import *\nfrom ..above import *\nALLOWED_HOSTS = [DOMAIN]\nX_FRAME_OPTIONS = 'SAMEORIGIN'\n")
	r, err := starter.FromFile(starter.Options{}, filepath.Join(dir, "production.py"))
	file := read(t, r, err)
	wantSaid(t, r, "hosts: [shop.example]", "referrer-policy: origin", "from .secret import *", "from ..above import *")
	if got := sent(file.Sites[0].Guard, "/", "X-Frame-Options"); got != "SAMEORIGIN" {
		t.Errorf("X-Frame-Options: %s, want that of the later file", got)
	}
}

func TestDjangoMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"X_FRAME_OPTIONS = 'DENY": "settings.py:1: a string is not closed",
		"A = '''\n\n":             "settings.py:1: a string is not closed",
		"A = 1\n\x00":             `settings.py:2: '\x00' begins nothing in Python`,
		"import os\nA = 1\n":      `has none of Django's settings`,
	} {
		if _, err := starter.Django("settings.py", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

const pythonSample = `
A = 'a' "b" '''c
d''' r'\n' u"\u00e9\x41\
z"
B = (1, -2, 0x10, 1_000, 60 * 60 * 24, 1.5, 2 + 3 - 1,)
C = {'x': [True, False, None], "y": {'z': ()}, **{'w': 1}, 'x': 2}
D = ["a", *("b", "c"),  # a comment ' "
     "d"]
E = F = "x" + A
G: str = "typed"
H = ("in parentheses")
I = [B, [C]]; J = "two on a line"
K = "escapes \\ \' \" \a \t \q"
L = 1,
M = [
    "#",  "]", '{',
] + D
N = {}
O = """a "quoted" word"""
P = 'a' \
    'b'
Q = "first"
Q = "second"
Q += " third"
R = f"{Q}"
S = f"plain"
T = b"bytes"
U = open
V = [1][0]
W = 1 if A else 2
X = "%s" % A
Y = A or B
Z = not A
`

// Python itself reads the same values.
func TestPythonAgrees(t *testing.T) {
	python := need.Python(t)
	cmd := exec.CommandContext(t.Context(), python, "-c", "import sys, json, warnings\nwarnings.simplefilter('ignore')\nv = {}\nexec(sys.stdin.read(), v)\n"+
		"print(json.dumps({k: x for k, x in v.items() if len(k) == 1 and not isinstance(x, bytes) and not callable(x)}))")
	cmd.Stdin = strings.NewReader(pythonSample)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&want); err != nil {
		t.Fatal(err)
	}
	vars, err := starter.Variables([]byte(pythonSample))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if strings.Contains("RVWXYZ", name) { // what is calculated is not read
			if v, known := got[name]; known {
				t.Errorf("%s is %v, want unknown", name, v)
			}
			delete(want, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 17 {
		t.Errorf("%d variables; python3 (-) and the reader (+) part:\n%s", len(got), diff)
	}
}

// Whatever a settings file says, the file is right or there is none.
func FuzzDjango(f *testing.F) {
	f.Add([]byte(startproject + "ALLOWED_HOSTS = ['a.example', '.b']\nSECURE_SSL_REDIRECT = True\nSECURE_PROXY_SSL_HEADER = ('HTTP_X', 'y')\nSECURE_HSTS_SECONDS=1\nSECURE_HSTS_PRELOAD=True"))
	f.Add([]byte("CONTENT_SECURITY_POLICY = {'EXCLUDE_URL_PREFIXES': ['/legacy/', 'x{y'], 'REPORT_PERCENTAGE': 10.5, 'DIRECTIVES': {'default-src': [SELF, 'a'], 'sandbox': True}}"))
	f.Add([]byte("CSP_IMG_SRC = ('a',)\nCSP_REPORT_ONLY=True\nSECURE_REDIRECT_EXEMPT=['(']\nSESSION_COOKIE_SAMESITE='None'\nif x:\n  SECURE_CSP = 1"))
	f.Add([]byte(pythonSample))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := starter.Django("settings.py", data)
		if err == nil {
			read(t, r, err)
		}
	})
}
