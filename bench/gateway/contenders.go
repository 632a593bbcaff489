package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/merlon-sec/merlon/bench/race"
)

// The names in the tables.
const (
	bare   = "ReverseProxy"
	merlon = "merlon"
	caddy  = "Caddy"
	nginx  = "nginx"
)

// A contender is a program under load.
type contender struct {
	*race.Process
	url string
}

// begin starts the application and those that stand before it, and returns these by name: all four, and the two that can put
// nonces into pages.
func (b *bench) begin(ctx context.Context) (plain, nonces map[string]contender, err error) {
	plain, nonces = map[string]contender{}, map[string]contender{}
	app, err := b.startNginx(ctx, "application", application)
	if err != nil {
		return nil, nil, err
	}
	b.upstream = app.url
	if plain[bare], err = b.startBare(ctx); err != nil {
		return nil, nil, err
	}
	if plain[merlon], err = b.startMerlon(ctx, "merlon", "csp: \""+plainPolicy+"\"\n"); err != nil {
		return nil, nil, err
	}
	if plain[caddy], err = b.startCaddy(ctx); err != nil {
		return nil, nil, err
	}
	if plain[nginx], err = b.startNginx(ctx, "nginx", b.nginxPlain); err != nil {
		return nil, nil, err
	}
	policy := strings.ReplaceAll(noncePolicy, "'nonce-"+mask+"'", "'nonce'")
	if nonces[merlon], err = b.startMerlon(ctx, "merlon-nonces", "csp: \""+policy+"\"\nnonce: {placeholder_file: placeholder}\n"); err != nil {
		return nil, nil, err
	}
	nonces[nginx], err = b.startNginx(ctx, "nginx-nonces", b.nginxNonces)
	return plain, nonces, err
}

// start runs a program that listens on the address, and waits until it answers.
func (b *bench) start(ctx context.Context, name, address string, stdin []byte, program string, args ...string) (contender, error) {
	p, err := race.Start(b.dir, name, stdin, program, args...)
	if err != nil {
		return contender{}, err
	}
	b.started = append(b.started, p)
	c := contender{p, "http://" + address}
	return c, p.Ready(ctx, c.url+smallPage)
}

func (b *bench) startBare(ctx context.Context) (contender, error) {
	values, err := json.Marshal(headers(plainPolicy))
	if err != nil {
		return contender{}, err
	}
	address, err := race.FreeAddress()
	if err != nil {
		return contender{}, err
	}
	return b.start(ctx, "reverseproxy", address, values, b.reverseProxy, address, b.upstream)
}

// startMerlon runs merlon gateway with the strict preset, these settings, and those that the caller of the benchmark adds.
func (b *bench) startMerlon(ctx context.Context, name, settings string) (contender, error) {
	address, err := race.FreeAddress()
	if err != nil {
		return contender{}, err
	}
	admin, err := race.FreeAddress()
	if err != nil {
		return contender{}, err
	}
	policy := "version: 1\nupstream: " + b.upstream + "\npreset: strict\nreports: \"off\"\n" + settings + b.extra + "\n"
	if err := b.write(name+".yaml", policy); err != nil {
		return contender{}, err
	}
	return b.start(ctx, name, address, nil, b.merlon, "gateway", "--config", name+".yaml", "--listen", address, "--admin", admin, "--data", name+".data")
}

func (b *bench) startCaddy(ctx context.Context) (contender, error) {
	address, err := race.FreeAddress()
	if err != nil {
		return contender{}, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return contender{}, err
	}
	config := "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}\n" +
		"http://:" + port + " {\n\tbind 127.0.0.1\n\theader {\n" + lines("\t\t%s `%s`\n", headers(plainPolicy)) + "\t}\n" +
		"\treverse_proxy " + strings.TrimPrefix(b.upstream, "http://") + "\n}\n"
	if err := b.write("Caddyfile", config); err != nil {
		return contender{}, err
	}
	return b.start(ctx, "caddy", address, nil, b.caddy, "run", "--adapter", "caddyfile", "--config", "Caddyfile")
}

// startNginx runs an nginx of its own with one server, whose lines come from the function.
func (b *bench) startNginx(ctx context.Context, name string, server func() string) (contender, error) {
	address, err := race.FreeAddress()
	if err != nil {
		return contender{}, err
	}
	if err := b.write(name+".conf", nginxConfig(name, address, strings.TrimPrefix(b.upstream, "http://"), server())); err != nil {
		return contender{}, err
	}
	return b.start(ctx, name, address, nil, b.nginx, "-e", "stderr", "-p", b.dir, "-c", name+".conf")
}

func (b *bench) write(name, text string) error {
	return os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600)
}
