-- Version 2. What browsers reported, by more than where: verdicts, reach, facets, samples, and what was sent to be reported on.

ALTER TABLE issues ADD COLUMN verdict     TEXT    NOT NULL DEFAULT 'actionable'; -- the gravest of its reports': actionable, self-contradicting, noise
ALTER TABLE issues ADD COLUMN rule        TEXT    NOT NULL DEFAULT '';           -- of noise, that of the first report: id@version
ALTER TABLE issues ADD COLUMN attested    INTEGER NOT NULL DEFAULT 0;            -- reports that named a nonce of ours
ALTER TABLE issues ADD COLUMN networks    INTEGER NOT NULL DEFAULT 0;            -- how many networks of clients sent them, about
ALTER TABLE issues ADD COLUMN views       INTEGER NOT NULL DEFAULT 0;            -- how many attested page views they are about, about
ALTER TABLE issues ADD COLUMN network_set BLOB    NOT NULL DEFAULT x'';          -- sketches that the two numbers come from
ALTER TABLE issues ADD COLUMN view_set    BLOB    NOT NULL DEFAULT x'';
ALTER TABLE issues ADD COLUMN state       TEXT    NOT NULL DEFAULT 'new';        -- new, acknowledged, accepted, ignored
ALTER TABLE issues ADD COLUMN state_until INTEGER NOT NULL DEFAULT 0;            -- the end of ignored, 0 for none
ALTER TABLE issues ADD COLUMN state_note  TEXT    NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN state_at    INTEGER NOT NULL DEFAULT 0;

-- Values that the reports of an issue have, each kind bounded; '' is the sum of those beyond.
CREATE TABLE facets (
    site  TEXT    NOT NULL,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    kind  TEXT    NOT NULL, -- route, browser, policy, source, app, verdict
    value TEXT    NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, kind, value)
) STRICT, WITHOUT ROWID;
INSERT INTO facets SELECT site, issue, 'route', route, count FROM pages;
DROP TABLE pages;
ALTER TABLE issues DROP COLUMN pages;

-- A few whole reports of each issue, cleaned.
CREATE TABLE samples (
    id    INTEGER PRIMARY KEY,
    site  TEXT    NOT NULL,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    at    INTEGER NOT NULL,
    body  TEXT    NOT NULL -- JSON
) STRICT;
CREATE INDEX samples_of_issue ON samples (issue, id);

-- Reports of an issue over time. Old hours are folded into days.
CREATE TABLE timeline (
    site     TEXT    NOT NULL,
    issue    INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    hour     INTEGER NOT NULL,
    enforced INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    unknown  INTEGER NOT NULL,
    PRIMARY KEY (issue, hour)
) STRICT, WITHOUT ROWID;

-- The policies that reports name, without nonces and addresses.
CREATE TABLE policies (
    site       TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    first_seen INTEGER NOT NULL,
    PRIMARY KEY (site, hash)
) STRICT, WITHOUT ROWID;

-- Documents that were sent, as the Guards counted them: what reports are a share of.
CREATE TABLE documents (
    site   TEXT    NOT NULL,
    route  TEXT    NOT NULL, -- '*' is the sum of the routes beyond the cap
    policy TEXT    NOT NULL, -- the hash of Guard's hook
    hour   INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (site, route, policy, hour)
) STRICT, WITHOUT ROWID;

-- Batches of the last minutes, so that one that is sent again is known.
CREATE TABLE digests (
    digest BLOB    PRIMARY KEY,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX digests_by_time ON digests (at);

-- Harmless violations that the gateway puts into pages, and what came of them.
CREATE TABLE canaries (
    site     TEXT    NOT NULL,
    browser  TEXT    NOT NULL,
    hour     INTEGER NOT NULL,
    sent     INTEGER NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (site, browser, hour)
) STRICT, WITHOUT ROWID;

-- What was said to people, so that it is said once.
CREATE TABLE alerts (
    site    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    sent_at INTEGER NOT NULL, -- 0: not yet
    PRIMARY KEY (site, kind, subject)
) STRICT, WITHOUT ROWID;
