package store

import (
	"time"

	"github.com/merlon-sec/merlon/report"
)

// push is what a program counted, under the id that it gave it.
type push struct {
	digest    Digest
	site      string
	at        time.Time
	documents []report.Documents
}

// Pushed counts documents that a program sends under an id, which the digest stands for: once, however often they are sent while digests
// are kept.
func (b *Batch) Pushed(d Digest, site string, at time.Time, documents []report.Documents) {
	b.pushes = append(b.pushes, push{d, site, at, documents})
}

// pushed counts a push whose digest the database does not have.
func (c *commit) pushed(p push) {
	for _, d := range p.documents {
		c.exec(addPushed, p.site, d.Route, d.Policy, hour(p.at), d.Count, p.digest[:])
	}
	c.exec(addDigest, p.digest[:], p.at.UnixMilli())
}
