-- Version 1. A released migration never changes; a new one gets the next number.

-- Times are Unix milliseconds, UTC. Every table has the site.

CREATE TABLE issues (
    id                  INTEGER PRIMARY KEY,
    site                TEXT    NOT NULL,
    fingerprint_version INTEGER NOT NULL,
    fingerprint         BLOB    NOT NULL,
    folded              INTEGER NOT NULL, -- 1: stands for all issues of its directive and class beyond the cap
    type                TEXT    NOT NULL,
    directive           TEXT    NOT NULL,
    class               TEXT    NOT NULL,
    blocked             TEXT    NOT NULL,
    sample              TEXT    NOT NULL,
    first_seen          INTEGER NOT NULL,
    last_seen           INTEGER NOT NULL,
    enforced            INTEGER NOT NULL,
    reported            INTEGER NOT NULL,
    unknown             INTEGER NOT NULL,
    pages               INTEGER NOT NULL, -- rows in pages with a route
    UNIQUE (site, fingerprint_version, fingerprint)
) STRICT;

CREATE INDEX issues_by_last_seen ON issues (last_seen, id);
CREATE INDEX issues_of_site_by_last_seen ON issues (site, last_seen, id);

CREATE TABLE pages (
    site  TEXT    NOT NULL,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    route TEXT    NOT NULL, -- '' is the sum of the routes beyond the cap
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, route)
) STRICT, WITHOUT ROWID;

-- Exact whatever becomes of issues: there are few directives, classes and dispositions.
CREATE TABLE counters (
    site        TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    directive   TEXT    NOT NULL,
    class       TEXT    NOT NULL,
    disposition TEXT    NOT NULL,
    hour        INTEGER NOT NULL, -- of receipt, its first millisecond
    count       INTEGER NOT NULL,
    PRIMARY KEY (site, type, directive, class, disposition, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE drops (
    site      TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    hour      INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (site, reason, hour)
) STRICT, WITHOUT ROWID;
