-- Version 3. What alerts need, and questions about a span of time, over all that a site has. Rows of an hour are made once and then counted up, so that
-- these indexes cost little.

CREATE INDEX issues_of_site_by_first_seen ON issues (site, first_seen, id);
CREATE INDEX counters_by_hour  ON counters  (site, hour);
CREATE INDEX timeline_by_hour  ON timeline  (site, hour);
CREATE INDEX documents_by_hour ON documents (site, hour);
CREATE INDEX drops_by_hour     ON drops     (site, hour);
CREATE INDEX samples_by_time   ON samples   (at);

-- What is still to be folded into days: a day begins at a multiple of 86,400,000.
CREATE INDEX timeline_by_the_hour  ON timeline  (hour) WHERE hour % 86400000 <> 0;
CREATE INDEX counters_by_the_hour  ON counters  (hour) WHERE hour % 86400000 <> 0;
CREATE INDEX documents_by_the_hour ON documents (hour) WHERE hour % 86400000 <> 0;
CREATE INDEX canaries_by_the_hour  ON canaries  (hour) WHERE hour % 86400000 <> 0;
CREATE INDEX drops_by_the_hour     ON drops     (hour) WHERE hour % 86400000 <> 0;

-- An alert's state is firing, unconfirmed or resolved, since when it says.
ALTER TABLE alerts ADD COLUMN fired   INTEGER NOT NULL DEFAULT 0;  -- when it began
ALTER TABLE alerts ADD COLUMN issue   INTEGER NOT NULL DEFAULT 0;  -- what it is about, 0 for none
ALTER TABLE alerts ADD COLUMN what    TEXT    NOT NULL DEFAULT ''; -- in few words
ALTER TABLE alerts ADD COLUMN why     TEXT    NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN pending TEXT    NOT NULL DEFAULT ''; -- the targets that have yet to hear of the state, separated by spaces
