package main

import (
	"fmt"
	"os"
	"strings"
)

// nginxConfig is a configuration with one server, and with what makes nginx fast: a process for each core, connections that
// live long on both sides, and buffers that hold the large page, so that it never waits in a file.
func nginxConfig(name, address, upstream, server string) string {
	var b strings.Builder
	if os.Geteuid() == 0 { // or else the workers could not read the benchmark's directory
		b.WriteString("user root;\n")
	}
	fmt.Fprintf(&b, "daemon off;\npid %s.pid;\nworker_processes auto;\nerror_log stderr error;\nevents {}\n", name)
	b.WriteString("http {\n  access_log off;\n  keepalive_requests 1000000000;\n  tcp_nopush on;\n  sendfile on;\n")
	for _, module := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, "  %s_temp_path %s.temp;\n", module, name)
	}
	if upstream != "" {
		fmt.Fprintf(&b, "  upstream application { server %s; keepalive 64; keepalive_requests 1000000000; }\n", upstream)
	}
	fmt.Fprintf(&b, "  server {\n    listen %s;\n%s  }\n}\n", address, server)
	return b.String()
}

// application serves the pages from files that stay open. A page that a program makes has no date, ETag or ranges either.
func application() string {
	return `    root pages;
    types {}
    default_type "text/html; charset=utf-8";
    open_file_cache max=10;
    etag off;
    max_ranges 0;
    add_header Last-Modified "";
`
}

const nginxProxy = `    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffers 8 32k;
    }
`

func (b *bench) nginxPlain() string {
	return lines("    add_header %s \"%s\" always;\n", headers(plainPolicy)) + nginxProxy
}

// nginxNonces is the recipe that people use: the request's random number instead of the placeholder, wherever that stands.
func (b *bench) nginxNonces() string {
	withNonce := strings.ReplaceAll(lines("    add_header %s \"%s\" always;\n", nonceHeaders()), mask, "$request_id")
	return withNonce + "    sub_filter_once off;\n    sub_filter " + b.placeholder + " $request_id;\n" + nginxProxy
}
