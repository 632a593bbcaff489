package starter_test

import (
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

// keys are the lines of a starter that are no comments.
func keys(r *starter.Result) string {
	var out []string
	for line := range strings.SplitSeq(string(r.Text), "\n") {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

// mapping is what becomes of a configuration: lines that stand in the file one after the other, what comments say, and what no key is.
type mapping struct {
	conf   string
	lines  string
	said   []string
	absent string
	unsaid string // what no comment says
}

func (m mapping) test(t *testing.T) {
	t.Helper()
	r, err := starter.Nginx("nginx.conf", []byte(m.conf))
	read(t, r, err)
	wantSaid(t, r, m.said...)
	if m.unsaid != "" && strings.Contains(said(r), m.unsaid) {
		t.Errorf("%s\nsays %q:\n%s", m.conf, m.unsaid, r.Text)
	}
	got := keys(r)
	if !strings.Contains("\n"+got, "\n"+m.lines) {
		t.Errorf("%s\nlacks the lines\n%s\n%s", m.conf, m.lines, r.Text)
	}
	if m.absent != "" && strings.Contains(got, m.absent) {
		t.Errorf("%s\nhas %s:\n%s", m.conf, m.absent, r.Text)
	}
}

func TestNginxRoutesHaveUpstreams(t *testing.T) {
	const root = "location / { proxy_pass http://127.0.0.1:8000; }\n"
	route := func(match, keys string) string {
		return "  - match: " + match + "\n    " + keys + "\n    reason: \"as in nginx at nginx.conf:2\"\n"
	}
	for _, m := range []mapping{
		{conf: root + "location /api/ { proxy_pass http://127.0.0.1:9000; }", lines: "routes:\n" + route("/api/", "upstream: http://127.0.0.1:9000")},
		{conf: root + "location ^~ /api/ { proxy_pass https://api.example; }", lines: "routes:\n" + route("/api/", "upstream: https://api.example")},
		{conf: root + "location = /api { proxy_pass http://unix:/run/api.sock; }", lines: "routes:\n" + route("/api", `upstream: "unix:/run/api.sock"`), absent: "/api/"},
		{conf: root + "location = /api/ { proxy_pass http://a:1; }", lines: "routes:\n" + route(`"/api/{$}"`, "upstream: http://a:1")},
		{conf: root + "location /api { proxy_pass http://a:1; }", lines: "routes:\n" + route("/api", "upstream: http://a:1") + route("/api/", "upstream: http://a:1"),
			said: []string{`CHECK: In nginx "/api" begins other paths too, such as "/apix": those are the site's here.`}},
		// A path of its own in proxy_pass is no change where it is the location's.
		{conf: root + "location /api/ { proxy_pass http://a:1/api/; }", lines: "routes:\n" + route("/api/", "upstream: http://a:1")},
		{conf: root + "location /api/ { proxy_pass http://a:1/; }", absent: "routes:",
			said: []string{`CHECK: nginx.conf:2: location "/api/" goes to "http://a:1/", which changes paths, and the gateway passes them on as they come.`}},
		{conf: root + "location /api/ { proxy_pass http://127.0.0.1:8000/; }", absent: "routes:", said: []string{`location "/api/" goes to "http://127.0.0.1:8000/", which changes paths`}},
		{conf: root + "location /api/ { proxy_pass http://unix:/run/x:/v1/; }", absent: "routes:", said: []string{"changes paths"}},
		{conf: root + "location /api/ { rewrite ^/api/(.*) /$1 break; proxy_pass http://a:1; }", absent: "routes:", said: []string{"has rewrite, which the gateway has not"}},
		{conf: root + "location /api/ { proxy_pass http://$a; }", absent: "routes:", said: []string{`goes to "http://$a", which is no address`}},
		{conf: root + `location ~ \.api$ { proxy_pass http://a:1; }`, absent: "routes:", said: []string{`location "~ \\.api$" goes to "http://a:1", and routes have no regular expressions.`}},
		{conf: root + "location /a { proxy_pass https://unix:/run/x; }", absent: "routes:", said: []string{"is no address"}},
		// What nginx keeps closed, no route opens.
		{conf: root + "location /admin/ { allow 10.0.0.0/8; deny all; proxy_pass http://a:1; }", absent: "routes:", said: []string{`location "/admin/" goes to "http://a:1", and has deny, which the gateway has not.`}},
		{conf: root + "location /admin/ { auth_basic x; location /admin/x/ { proxy_pass http://a:1; } }", absent: "routes:", said: []string{`location "/admin/x/" goes to "http://a:1", and has auth_basic`}},
		{conf: root + "location /inner/ { internal; proxy_pass http://a:1; }", absent: "routes:", said: []string{"has internal, which the gateway has not"}},
		{conf: root + "location /admin/ { deny all; proxy_pass http://127.0.0.1:8000; }", absent: "routes:", said: []string{`location "/admin/" has deny, and the gateway has nothing like it.`}},
		{conf: "auth_basic x; limit_req zone=a; " + root, absent: "routes:", said: []string{"nginx has auth_basic, limit_req for this site, and the gateway has nothing like it."}},
		{conf: "location / { if ($x) { return 403; } satisfy all; auth_basic x; try_files $uri @app; } location @app { limit_req zone=a; proxy_pass http://a:1; }",
			said: []string{"nginx has auth_basic, if, limit_req for this site, and the gateway has nothing like it."}},
		{conf: "auth_basic off; " + root, unsaid: "auth_basic", lines: "upstream: http://127.0.0.1:8000\n"},
		// Nested locations: routes inherit from the site alone.
		{conf: root + "location /api/ { proxy_pass http://a:1; } location /api/shop/ { proxy_pass http://127.0.0.1:8000; }",
			lines: "routes:\n" + route("/api/", "upstream: http://a:1") + route("/api/shop/", "upstream: http://127.0.0.1:8000")},
		{conf: root + "location /api { proxy_pass http://a:1; } location = /api { proxy_pass http://b:1; } location /api/ { proxy_pass http://c:1; }",
			lines: "routes:\n" + route("/api", "upstream: http://b:1") + route("/api/", "upstream: http://c:1")},
		// What is answered without an application.
		{conf: root + "location /static/ { alias /srv/; }", absent: "routes:", said: []string{`location "/static/" is answered by alias, which the gateway cannot.`}},
		{conf: root + "location = /robots.txt { access_log off; }", absent: "routes:", said: []string{`location "= /robots.txt" is answered by nginx itself`}},
		{conf: root + "location /rpc/ { grpc_pass grpc://a:1; }", absent: "routes:", said: []string{"A route whose upstream is h2c://host:port speaks HTTP/2 without TLS to the application"}},
		{conf: "location / { try_files $uri @app; }\nlocation @app { proxy_pass http://unix:/run/gunicorn.sock; }", lines: "upstream: \"unix:/run/gunicorn.sock\"\n", absent: "routes:",
			said: []string{"CHECK: nginx.conf:1: try_files of location / answers with files where there are any."}},
		{conf: root + "location /.well-known/acme-challenge/ { root /var/www; }", absent: "routes:", said: []string{"is where a CA looks for the answers of an ACME client. With tls.acme the gateway answers its own",
			"tls: {http: 0.0.0.0:80, acme: {email: ops@shop.example, accept_tos: true}}"}},
	} {
		m.conf = "server { " + m.conf + " }"
		m.test(t)
	}
}

func TestNginxUpstreamBlocks(t *testing.T) {
	for block, m := range map[string]mapping{
		"server a:1 weight=2; keepalive 8;": {lines: "upstream: http://a:1\n"},
		"server a;":                         {lines: "upstream: http://a\n"},
		"server unix:/run/x.sock;":          {lines: "upstream: \"unix:/run/x.sock\"\n"},
		"server a:1 down; server b:1;":      {lines: "upstream: http://b:1\n"},
		"server a:1; server b:1 backup;":    {lines: "upstream: http://a:1\n", said: []string{"stands for 2 servers, of which this is the first: there is one each, and a balancer belongs behind the gateway"}},
		"zone x 1m;":                        {said: []string{"which has no server"}},
	} {
		m.conf = "upstream app { " + block + " }\nserver { location / { proxy_pass http://app; } }"
		m.test(t)
	}
	mapping{conf: "upstream app { server a; } server { location / { proxy_pass https://app; } }", lines: "upstream: https://a:80\n"}.test(t)
	mapping{conf: "upstream app { server a:1; server b:1; } server { location / { proxy_pass http://c:1; }\nlocation /x/ { proxy_pass http://app; } }",
		lines: "  - match: /x/\n    upstream: http://a:1\n", said: []string{`CHECK: nginx.conf:2: proxy_pass "http://app" stands for 2 servers`}}.test(t)
}

func TestNginxBodies(t *testing.T) {
	const root = "location / { proxy_pass http://a:1; }\n"
	for _, m := range []mapping{
		{conf: "client_max_body_size 10m; server { " + root + "}", lines: "max-body: 10MiB\n"},
		{conf: "client_max_body_size 10m; server { client_max_body_size 512K; " + root + "}", lines: "max-body: 512KiB\n"},
		{conf: "server { client_max_body_size 0; " + root + "}", lines: "max-body: off\n"},
		{conf: "server { client_max_body_size 1000; " + root + "}", lines: "max-body: \"1000\"\n"},
		{conf: "server { client_max_body_size ten; " + root + "}", absent: "max-body", said: []string{`client_max_body_size "ten" cannot be kept.`}},
		{conf: "server { client_max_body_size 99999999g; " + root + "}", absent: "max-body", said: []string{`max-body "99999999GiB" is not kept: "99999999GiB": no size`}},
		{conf: "server { " + root + "}", absent: "max-body", said: []string{"CHECK: nginx refuses bodies over 1m with 413 where client_max_body_size says nothing. Here there is no limit, because bodies stream by. To keep that of nginx: max-body: 1MiB"}},
		{conf: "server { " + root + "location /upload/ { client_max_body_size 1g; proxy_pass http://a:1; } }", lines: "routes:\n  - match: /upload/\n    max-body: 1GiB\n    reason: \"as in nginx at nginx.conf:2\"\n"},
		{conf: "server { " + root + "location /a/ { client_max_body_size 1m; proxy_pass http://a:1; } }", absent: "routes:", unsaid: "location \"/a/\""},
		{conf: "server { location / { client_max_body_size 5m; proxy_pass http://a:1; }\nlocation /a/ { proxy_pass http://a:1; } }", lines: "routes:\n  - match: /a/\n    max-body: 1MiB\n"},
		{conf: "server { " + root + "location ~ ^/up { client_max_body_size 1g; proxy_pass http://a:1; } }", absent: "routes:", said: []string{`location "~ ^/up" takes bodies up to 1GiB, and routes have no regular expressions.`}},
	} {
		m.test(t)
	}
}
