-- Version 3. Questions about a span of time, over all that a site has. Rows of an hour are made once and then counted up, so that
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
