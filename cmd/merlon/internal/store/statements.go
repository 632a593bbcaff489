package store

import "strconv"

// The statements of a commit, prepared once: to compile them costs more than to run them.
const (
	addIssue = iota
	addAndReadIssue
	insertIssue
	setReach
	addFacet
	leastFacet
	dropFacet
	insertFacet
	addTimeline
	insertSample
	trimSamples
	addCounter
	addDrop
	countPolicies
	dropPolicy
	addPolicy
	addDocuments
	addPushed
	addCanaries
	addDigest
	forgetDigests
	readIssue
	readTimeline
	sumFacets
	deleteIssue
	statements
)

// maxDocumentCount is where a count of documents stays, 1<<40: it comes from programs that may be wrong, and a sum beyond 64 bits is an
// error in SQLite, which would fail the reports of the same commit too.
const maxDocumentCount = "1099511627776"

func statementText(n int) string {
	switch n {
	case addIssue:
		return `UPDATE issues SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?),
			enforced = enforced + ?, reported = reported + ?, unknown = unknown + ?, attested = attested + ?, sample = iif(sample = '', ?, sample)
			WHERE id = ?`
	case addAndReadIssue:
		return statementText(addIssue) + ` RETURNING verdict, rule, network_set, view_set`
	case insertIssue:
		return `INSERT INTO issues (site, fingerprint_version, fingerprint, folded, type, directive, class, blocked, sample, verdict, rule,
			first_seen, last_seen, enforced, reported, unknown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)`
	case setReach:
		return `UPDATE issues SET verdict = ?, rule = ?, networks = ?, network_set = ?, views = ?, view_set = ? WHERE id = ?`
	case addFacet:
		return `UPDATE facets SET count = count + ? WHERE issue = ? AND kind = ? AND value = ?`
	case leastFacet: // the value is that of the least count: https://www.sqlite.org/lang_select.html#bareagg
		return `SELECT count(*), coalesce(min(count), 0), coalesce(value, '') FROM facets WHERE issue = ? AND kind = ? AND value <> ''`
	case dropFacet:
		return `DELETE FROM facets WHERE issue = ? AND kind = ? AND value = ?`
	case insertFacet:
		return `INSERT INTO facets (site, issue, kind, value, count) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count`
	case addTimeline:
		return `INSERT INTO timeline (site, issue, hour, enforced, reported, unknown) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET enforced = enforced + excluded.enforced, reported = reported + excluded.reported, unknown = unknown + excluded.unknown`
	case insertSample:
		return `INSERT INTO samples (site, issue, at, body) VALUES (?, ?, ?, ?)`
	case trimSamples:
		half := strconv.Itoa(MaxSamples / 2) // as a parameter it would have the statement compiled anew each time: plans follow limits
		return `DELETE FROM samples WHERE issue = ?1
			AND id NOT IN (SELECT id FROM samples WHERE issue = ?1 ORDER BY id LIMIT ` + half + `)
			AND id NOT IN (SELECT id FROM samples WHERE issue = ?1 ORDER BY id DESC LIMIT ` + half + `)`
	case addCounter:
		return `INSERT INTO counters (site, type, directive, class, disposition, hour, count) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count`
	case addDrop:
		return `INSERT INTO drops (site, reason, hour, count, last_seen) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count, last_seen = max(last_seen, excluded.last_seen)`
	case countPolicies:
		return `SELECT count(*), coalesce(sum(hash = ?2), 0) FROM policies WHERE site = ?1`
	case dropPolicy: // the next one by its hash, which is any
		return `DELETE FROM policies WHERE site = ?1 AND hash = (SELECT hash FROM policies WHERE site = ?1 ORDER BY hash < ?2, hash LIMIT 1)`
	case addPolicy:
		return `INSERT INTO policies (site, hash, text, first_seen) VALUES (?, ?, ?, ?)`
	case addDocuments:
		return `INSERT INTO documents (site, route, policy, hour, count) VALUES (?, ?, ?, ?, min(?, ` + maxDocumentCount + `))
			ON CONFLICT DO UPDATE SET count = min(count + excluded.count, ` + maxDocumentCount + `)`
	case addPushed:
		return `INSERT INTO documents (site, route, policy, hour, count) SELECT ?, ?, ?, ?, min(?, ` + maxDocumentCount + `)
			WHERE NOT EXISTS (SELECT * FROM digests WHERE digest = ?) ON CONFLICT DO UPDATE SET count = min(count + excluded.count, ` + maxDocumentCount + `)`
	case addCanaries:
		return `INSERT INTO canaries (site, browser, hour, sent, received) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET sent = sent + excluded.sent, received = received + excluded.received`
	case addDigest:
		return `INSERT INTO digests (digest, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at`
	case forgetDigests:
		return `DELETE FROM digests WHERE at < ? OR at > ?`
	case readIssue:
		return `SELECT site, type, directive, class, verdict, rule, first_seen, last_seen, enforced, reported, unknown, attested, network_set, view_set,
			state <> 'new' FROM issues WHERE id = ?`
	case readTimeline:
		return `SELECT hour, enforced, reported, unknown FROM timeline WHERE issue = ?`
	case sumFacets:
		return `SELECT kind, sum(count) FROM facets WHERE issue = ? GROUP BY kind`
	case deleteIssue:
		return `DELETE FROM issues WHERE id = ?`
	}
	panic("store: no statement " + strconv.Itoa(n))
}
