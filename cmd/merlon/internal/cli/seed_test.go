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
	for _, b := range batches(now.Add(-100*24*time.Hour), twoMinutesBefore(now)) {
		if err := db.Commit(context.Background(), b); err != nil {
			return err
		}
	}
	return db.Close()
}

// twoMinutesBefore is a moment whose neighbours are in the same hour: rates are counted by hours.
func twoMinutesBefore(now time.Time) time.Time {
	at := now.Add(-2 * time.Minute)
	if at.Add(time.Second).Hour() != at.Add(-time.Second).Hour() {
		return at.Add(-3 * time.Second)
	}
	return at
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

// batches have an issue each, so that their numbers are known.
func batches(old, recent time.Time) []*store.Batch {
	font := seeded(1, "font-src", "origin", "https://fonts.example", "/old", old)
	image := seeded(2, "img-src", "origin", "https://images.example", "/", recent)
	script := seeded(3, "script-src-elem", "inline", "inline", "/search", recent.Add(time.Second))
	script.Sample, script.Disposition = "\u202e\u3164fetch('//attacker.example')", report.Enforce
	extension := seeded(4, "script-src-elem", "scheme", "chrome-extension:", "/", recent.Add(-time.Second))
	extension.Verdict, extension.Rule = store.Noise, "extension-scheme@1"
	list := []*store.Batch{{}, {}, {}, {}}
	list[0].Add(font)
	for network := range uint64(3) {
		image.Network = (network + 1) * 0x9e3779b97f4a7c15
		list[1].Add(image)
	}
	image.Route = "/account/{id}"
	list[1].Add(image)
	list[2].Add(script)
	list[3].Add(extension)
	list[3].Documents("shop.example", "/", "a1b2c3", recent, 1500)
	list[3].Canaries("shop.example", "chrome", recent, 20, 18)
	list[3].Drop("shop.example", "foreign", recent, 12)
	list[3].Drop("", "not-json", recent, 5)
	return list
}
