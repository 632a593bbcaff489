package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// seed is a program for scripts: it writes a database into the directory that it is given, with what a shop in trial collects.
func seed() {
	if err := seedInto(os.Args[1], time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func seedInto(dir string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	db, err := store.Open(context.Background(), filepath.Join(dir, "merlon.db"))
	if err != nil {
		return err
	}
	old, recent := now.Add(-100*24*time.Hour), now.Add(-2*time.Minute)
	for _, b := range []*store.Batch{oldBatch(old), recentBatch(recent)} {
		if err := db.Commit(context.Background(), b); err != nil {
			return err
		}
	}
	return db.Close()
}

// seeded is a hit with the fields that every issue of the seed has.
func seeded(n byte, directive, class, blocked, route string, at time.Time) store.Hit {
	return store.Hit{Site: "shop.example", Type: report.TypeViolation, Fingerprint: store.Fingerprint{Version: 2, Sum: [16]byte{n}},
		Directive: directive, Class: class, Blocked: blocked, Route: route, At: at, Disposition: report.ReportOnly, Browser: "chrome 142",
		Policy: "a1b2c3", PolicyText: "default-src 'self'; img-src 'self' data:",
		Body: func() string {
			return fmt.Sprintf(`{"schema":1,"document":"https://shop.example%s","directive":%q,"blocked":"%s/x","policy":"a1b2c3"}`, route, directive, blocked)
		}}
}

func oldBatch(at time.Time) *store.Batch {
	var b store.Batch
	b.Add(seeded(1, "font-src", "origin", "https://fonts.example", "/old", at))
	return &b
}

func recentBatch(at time.Time) *store.Batch {
	var b store.Batch
	image := seeded(2, "img-src", "origin", "https://images.example", "/", at)
	for network := range uint64(3) {
		image.Network = (network + 1) * 0x9e3779b97f4a7c15
		b.Add(image)
	}
	image.Route = "/account/{id}"
	b.Add(image)
	script := seeded(3, "script-src-elem", "inline", "inline", "/search", at.Add(time.Second))
	script.Sample, script.Disposition = "\u202efetch('//attacker.example')", report.Enforce
	b.Add(script)
	extension := seeded(4, "script-src-elem", "scheme", "chrome-extension:", "/", at.Add(-time.Minute))
	extension.Verdict, extension.Rule = store.Noise, "extension-scheme@1"
	b.Add(extension)
	b.Documents("shop.example", "/", "a1b2c3", at, 1500)
	b.Canaries("shop.example", "chrome", at, 20, 18)
	b.Drop("shop.example", "foreign", at, 12)
	b.Drop("", "not-json", at, 5)
	return &b
}
