-- A database as the code with schema 2 wrote it.
BEGIN TRANSACTION;
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
    verdict     TEXT    NOT NULL DEFAULT 'actionable', rule        TEXT    NOT NULL DEFAULT '', attested    INTEGER NOT NULL DEFAULT 0, networks    INTEGER NOT NULL DEFAULT 0, views       INTEGER NOT NULL DEFAULT 0, network_set BLOB    NOT NULL DEFAULT x'', view_set    BLOB    NOT NULL DEFAULT x'', state       TEXT    NOT NULL DEFAULT 'new', state_until INTEGER NOT NULL DEFAULT 0, state_note  TEXT    NOT NULL DEFAULT '', state_at    INTEGER NOT NULL DEFAULT 0, -- rows in pages with a route
    UNIQUE (site, fingerprint_version, fingerprint)
) STRICT;
INSERT INTO issues VALUES(1,'shop',1,X'1db26726461f92844b29042095f5f7cd',0,'csp-violation','img-src','origin','https://cdn11.example','',1777897800000,1777977000000,12,12,12,'actionable','',36,1,1,X'cc623af8783354e8',X'0000000000000001','new',0,'',0);
INSERT INTO issues VALUES(2,'shop',1,X'4c92d556c9850ef187a8e87d5b767777',0,'csp-violation','img-src','origin','https://cdn1.example','',1777897800000,1777905000000,2,2,2,'actionable','',6,1,1,X'9e3779b97f4a7c16',X'0000000000000001','new',0,'',0);
INSERT INTO issues VALUES(3,'shop',1,X'47af3df95194fb67ec84938d60d8e325',0,'csp-violation','img-src','origin','https://cdn2.example','',1777897800000,1777912200000,3,3,3,'actionable','',9,1,1,X'3c6ef372fe94f82b',X'0000000000000002','new',0,'',0);
INSERT INTO issues VALUES(4,'blog',1,X'dcf564ec6236ce57c8afe5051e1e0546',0,'csp-violation','script-src-elem','inline','https://cdn3.example','it''s; DROP TABLE issues',1777897800000,1777919400000,4,4,4,'actionable','',12,1,1,X'daa66d2c7ddf7440',X'0000000000000003','new',0,'',0);
INSERT INTO issues VALUES(5,'shop',1,X'986e9d0bad1e9ecdb551eb1b222a334c',0,'csp-violation','img-src','origin','https://cdn10.example','',1777897800000,1777969800000,11,11,11,'actionable','',0,1,0,X'2e2ac13ef8e8d8d3',X'','new',0,'',0);
INSERT INTO issues VALUES(6,'shop',1,X'bab4837090c5174a3b3cf32657609b0b',0,'csp-violation','img-src','origin','https://many.example','',1777897800000,1777897800000,120,0,0,'actionable','',0,0,0,X'',X'','new',0,'',0);
INSERT INTO issues VALUES(7,'blog',1,X'cfd195dc33da6c80899dadf45d2229e8',0,'csp-violation','script-src-elem','inline','https://cdn0.example','it''s; DROP TABLE issues',1777897800000,1777897800000,1,1,1,'actionable','',0,1,0,X'0000000000000001',X'','new',0,'',0);
INSERT INTO issues VALUES(8,'shop',1,X'79589c6d2db894439016775727e2a959',0,'csp-violation','img-src','origin','https://cdn4.example','',1777897800000,1777926600000,5,5,5,'noise','scheme@1',15,1,1,X'78dde6e5fd29f055',X'0000000000000004','new',0,'',0);
INSERT INTO issues VALUES(9,'shop',1,X'55584cea5072ce7bd0acaa2623e5a966',0,'csp-violation','img-src','origin','https://cdn5.example','',1777897800000,1777933800000,6,6,6,'actionable','',0,1,0,X'1715609f7c746c6a',X'','new',0,'',0);
INSERT INTO issues VALUES(10,'blog',1,X'e49e07abbc1a0742f2a214b43923b3d5',0,'csp-violation','script-src-elem','inline','https://cdn6.example','it''s; DROP TABLE issues',1777897800000,1777941000000,7,7,7,'actionable','',21,1,1,X'b54cda58fbbee87f',X'0000000000000001','new',0,'',0);
INSERT INTO issues VALUES(11,'shop',1,X'2d2f454dbd2c857127f9171f2582955c',0,'csp-violation','img-src','origin','https://cdn7.example','',1777897800000,1777948200000,8,8,8,'actionable','',24,1,1,X'538454127b096494',X'0000000000000002','new',0,'',0);
INSERT INTO issues VALUES(12,'shop',1,X'52177ea1562fd81af1c973abcd4bbb46',0,'csp-violation','img-src','origin','https://cdn8.example','',1777897800000,1777955400000,9,9,9,'actionable','',27,1,1,X'f1bbcdcbfa53e0a9',X'0000000000000003','new',0,'',0);
INSERT INTO issues VALUES(13,'blog',1,X'b7ccc2432f71244f4c8e7f7083901e35',0,'csp-violation','script-src-elem','inline','https://cdn9.example','it''s; DROP TABLE issues',1777897800000,1777962600000,10,10,10,'actionable','',30,1,1,X'8ff34785799e5cbe',X'0000000000000004','new',0,'',0);
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
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','enforce',1777896000000,22);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','report',1777896000000,1);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','report',1777906800000,4);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','report',1777917600000,7);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','report',1777928400000,10);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','unknown',1777896000000,1);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','unknown',1777917600000,4);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','unknown',1777939200000,7);
INSERT INTO counters VALUES('blog','csp-violation','script-src-elem','inline','unknown',1777960800000,10);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777896000000,120);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777903200000,5);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777914000000,6);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777924800000,14);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777935600000,12);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777946400000,8);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','enforce',1777968000000,11);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','report',1777896000000,26);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','report',1777910400000,3);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','report',1777932000000,6);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','report',1777953600000,9);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','report',1777975200000,12);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','unknown',1777896000000,30);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','unknown',1777899600000,2);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','unknown',1777910400000,5);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','unknown',1777921200000,8);
INSERT INTO counters VALUES('shop','csp-violation','img-src','origin','unknown',1777932000000,11);
CREATE TABLE drops (
    site      TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    hour      INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (site, reason, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO drops VALUES('old','budget',1777896000000,4,1777897800000);
INSERT INTO drops VALUES('old','budget',1777899600000,4,1777901400000);
INSERT INTO drops VALUES('old','budget',1777903200000,4,1777905000000);
INSERT INTO drops VALUES('shop','foreign',1777896000000,9,1777897800000);
CREATE TABLE facets (
    site  TEXT    NOT NULL,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    kind  TEXT    NOT NULL, -- route, browser, policy, source, app, verdict
    value TEXT    NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, kind, value)
) STRICT, WITHOUT ROWID;
INSERT INTO facets VALUES('shop',1,'app','v1',36);
INSERT INTO facets VALUES('shop',1,'browser','Firefox 131',36);
INSERT INTO facets VALUES('shop',1,'policy','4f1c',36);
INSERT INTO facets VALUES('shop',1,'route','/shop/3',36);
INSERT INTO facets VALUES('shop',1,'source','/app.js:11',36);
INSERT INTO facets VALUES('shop',1,'verdict','actionable',36);
INSERT INTO facets VALUES('shop',2,'app','v1',6);
INSERT INTO facets VALUES('shop',2,'browser','Firefox 121',6);
INSERT INTO facets VALUES('shop',2,'policy','4f1c',6);
INSERT INTO facets VALUES('shop',2,'route','/shop/1',6);
INSERT INTO facets VALUES('shop',2,'source','/app.js:1',6);
INSERT INTO facets VALUES('shop',2,'verdict','actionable',6);
INSERT INTO facets VALUES('shop',3,'app','v1',9);
INSERT INTO facets VALUES('shop',3,'browser','Firefox 122',9);
INSERT INTO facets VALUES('shop',3,'policy','4f1c',9);
INSERT INTO facets VALUES('shop',3,'route','/shop/2',9);
INSERT INTO facets VALUES('shop',3,'source','/app.js:2',9);
INSERT INTO facets VALUES('shop',3,'verdict','actionable',9);
INSERT INTO facets VALUES('blog',4,'app','v1',12);
INSERT INTO facets VALUES('blog',4,'browser','Firefox 123',12);
INSERT INTO facets VALUES('blog',4,'policy','4f1c',12);
INSERT INTO facets VALUES('blog',4,'route','/shop/3',12);
INSERT INTO facets VALUES('blog',4,'source','/app.js:3',12);
INSERT INTO facets VALUES('blog',4,'verdict','actionable',12);
INSERT INTO facets VALUES('shop',5,'app','v1',33);
INSERT INTO facets VALUES('shop',5,'browser','Firefox 130',33);
INSERT INTO facets VALUES('shop',5,'policy','4f1c',33);
INSERT INTO facets VALUES('shop',5,'route','/shop/2',33);
INSERT INTO facets VALUES('shop',5,'source','/app.js:10',33);
INSERT INTO facets VALUES('shop',5,'verdict','actionable',33);
INSERT INTO facets VALUES('shop',6,'route','',24);
INSERT INTO facets VALUES('shop',6,'route','/many/0',3);
INSERT INTO facets VALUES('shop',6,'route','/many/10',3);
INSERT INTO facets VALUES('shop',6,'route','/many/12',3);
INSERT INTO facets VALUES('shop',6,'route','/many/13',3);
INSERT INTO facets VALUES('shop',6,'route','/many/14',3);
INSERT INTO facets VALUES('shop',6,'route','/many/15',3);
INSERT INTO facets VALUES('shop',6,'route','/many/16',3);
INSERT INTO facets VALUES('shop',6,'route','/many/17',3);
INSERT INTO facets VALUES('shop',6,'route','/many/18',3);
INSERT INTO facets VALUES('shop',6,'route','/many/19',3);
INSERT INTO facets VALUES('shop',6,'route','/many/2',3);
INSERT INTO facets VALUES('shop',6,'route','/many/20',3);
INSERT INTO facets VALUES('shop',6,'route','/many/23',3);
INSERT INTO facets VALUES('shop',6,'route','/many/24',3);
INSERT INTO facets VALUES('shop',6,'route','/many/25',3);
INSERT INTO facets VALUES('shop',6,'route','/many/26',3);
INSERT INTO facets VALUES('shop',6,'route','/many/29',3);
INSERT INTO facets VALUES('shop',6,'route','/many/3',3);
INSERT INTO facets VALUES('shop',6,'route','/many/31',3);
INSERT INTO facets VALUES('shop',6,'route','/many/32',3);
INSERT INTO facets VALUES('shop',6,'route','/many/34',3);
INSERT INTO facets VALUES('shop',6,'route','/many/35',3);
INSERT INTO facets VALUES('shop',6,'route','/many/36',3);
INSERT INTO facets VALUES('shop',6,'route','/many/37',3);
INSERT INTO facets VALUES('shop',6,'route','/many/38',3);
INSERT INTO facets VALUES('shop',6,'route','/many/39',3);
INSERT INTO facets VALUES('shop',6,'route','/many/4',3);
INSERT INTO facets VALUES('shop',6,'route','/many/5',3);
INSERT INTO facets VALUES('shop',6,'route','/many/6',3);
INSERT INTO facets VALUES('shop',6,'route','/many/7',3);
INSERT INTO facets VALUES('shop',6,'route','/many/8',3);
INSERT INTO facets VALUES('shop',6,'route','/many/9',3);
INSERT INTO facets VALUES('shop',6,'verdict','actionable',120);
INSERT INTO facets VALUES('blog',7,'app','v1',3);
INSERT INTO facets VALUES('blog',7,'browser','Firefox 120',3);
INSERT INTO facets VALUES('blog',7,'policy','4f1c',3);
INSERT INTO facets VALUES('blog',7,'route','/shop/0',3);
INSERT INTO facets VALUES('blog',7,'source','/app.js:0',3);
INSERT INTO facets VALUES('blog',7,'verdict','actionable',3);
INSERT INTO facets VALUES('shop',8,'app','v1',15);
INSERT INTO facets VALUES('shop',8,'browser','Firefox 124',15);
INSERT INTO facets VALUES('shop',8,'policy','4f1c',15);
INSERT INTO facets VALUES('shop',8,'route','/shop/0',15);
INSERT INTO facets VALUES('shop',8,'source','/app.js:4',15);
INSERT INTO facets VALUES('shop',8,'verdict','noise:scheme@1',15);
INSERT INTO facets VALUES('shop',9,'app','v1',18);
INSERT INTO facets VALUES('shop',9,'browser','Firefox 125',18);
INSERT INTO facets VALUES('shop',9,'policy','4f1c',18);
INSERT INTO facets VALUES('shop',9,'route','/shop/1',18);
INSERT INTO facets VALUES('shop',9,'source','/app.js:5',18);
INSERT INTO facets VALUES('shop',9,'verdict','actionable',18);
INSERT INTO facets VALUES('blog',10,'app','v1',21);
INSERT INTO facets VALUES('blog',10,'browser','Firefox 126',21);
INSERT INTO facets VALUES('blog',10,'policy','4f1c',21);
INSERT INTO facets VALUES('blog',10,'route','/shop/2',21);
INSERT INTO facets VALUES('blog',10,'source','/app.js:6',21);
INSERT INTO facets VALUES('blog',10,'verdict','actionable',21);
INSERT INTO facets VALUES('shop',11,'app','v1',24);
INSERT INTO facets VALUES('shop',11,'browser','Firefox 127',24);
INSERT INTO facets VALUES('shop',11,'policy','4f1c',24);
INSERT INTO facets VALUES('shop',11,'route','/shop/3',24);
INSERT INTO facets VALUES('shop',11,'source','/app.js:7',24);
INSERT INTO facets VALUES('shop',11,'verdict','actionable',24);
INSERT INTO facets VALUES('shop',12,'app','v1',27);
INSERT INTO facets VALUES('shop',12,'browser','Firefox 128',27);
INSERT INTO facets VALUES('shop',12,'policy','4f1c',27);
INSERT INTO facets VALUES('shop',12,'route','/shop/0',27);
INSERT INTO facets VALUES('shop',12,'source','/app.js:8',27);
INSERT INTO facets VALUES('shop',12,'verdict','actionable',27);
INSERT INTO facets VALUES('blog',13,'app','v1',30);
INSERT INTO facets VALUES('blog',13,'browser','Firefox 129',30);
INSERT INTO facets VALUES('blog',13,'policy','4f1c',30);
INSERT INTO facets VALUES('blog',13,'route','/shop/1',30);
INSERT INTO facets VALUES('blog',13,'source','/app.js:9',30);
INSERT INTO facets VALUES('blog',13,'verdict','actionable',30);
CREATE TABLE samples (
    id    INTEGER PRIMARY KEY,
    site  TEXT    NOT NULL,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    at    INTEGER NOT NULL,
    body  TEXT    NOT NULL -- JSON
) STRICT;
INSERT INTO samples VALUES(1,'shop',1,1777897800000,'{"n":11}');
INSERT INTO samples VALUES(2,'shop',2,1777897800000,'{"n":1}');
INSERT INTO samples VALUES(3,'shop',3,1777897800000,'{"n":2}');
INSERT INTO samples VALUES(4,'blog',4,1777897800000,'{"n":3}');
INSERT INTO samples VALUES(5,'shop',5,1777897800000,'{"n":10}');
INSERT INTO samples VALUES(6,'blog',7,1777897800000,'{"n":0}');
INSERT INTO samples VALUES(7,'shop',8,1777897800000,'{"n":4}');
INSERT INTO samples VALUES(8,'shop',9,1777897800000,'{"n":5}');
INSERT INTO samples VALUES(9,'blog',10,1777897800000,'{"n":6}');
INSERT INTO samples VALUES(10,'shop',11,1777897800000,'{"n":7}');
INSERT INTO samples VALUES(11,'shop',12,1777897800000,'{"n":8}');
INSERT INTO samples VALUES(12,'blog',13,1777897800000,'{"n":9}');
INSERT INTO samples VALUES(13,'shop',3,1777905000000,'{"n":2}');
INSERT INTO samples VALUES(14,'shop',8,1777912200000,'{"n":4}');
INSERT INTO samples VALUES(15,'shop',9,1777915800000,'{"n":5}');
INSERT INTO samples VALUES(16,'blog',10,1777919400000,'{"n":6}');
INSERT INTO samples VALUES(17,'shop',11,1777923000000,'{"n":7}');
INSERT INTO samples VALUES(18,'blog',13,1777930200000,'{"n":9}');
INSERT INTO samples VALUES(19,'blog',4,1777908600000,'{"n":3}');
INSERT INTO samples VALUES(20,'shop',12,1777926600000,'{"n":8}');
INSERT INTO samples VALUES(21,'shop',5,1777933800000,'{"n":10}');
INSERT INTO samples VALUES(22,'shop',1,1777937400000,'{"n":11}');
INSERT INTO samples VALUES(23,'blog',7,1777897800000,'{"n":0}');
INSERT INTO samples VALUES(24,'shop',2,1777901400000,'{"n":1}');
INSERT INTO samples VALUES(25,'shop',5,1777969800000,'{"n":10}');
INSERT INTO samples VALUES(26,'shop',2,1777905000000,'{"n":1}');
INSERT INTO samples VALUES(27,'shop',3,1777912200000,'{"n":2}');
INSERT INTO samples VALUES(28,'shop',8,1777926600000,'{"n":4}');
INSERT INTO samples VALUES(29,'shop',9,1777933800000,'{"n":5}');
INSERT INTO samples VALUES(30,'blog',10,1777941000000,'{"n":6}');
INSERT INTO samples VALUES(31,'shop',12,1777955400000,'{"n":8}');
INSERT INTO samples VALUES(32,'shop',1,1777977000000,'{"n":11}');
INSERT INTO samples VALUES(33,'blog',7,1777897800000,'{"n":0}');
INSERT INTO samples VALUES(34,'blog',4,1777919400000,'{"n":3}');
INSERT INTO samples VALUES(35,'shop',11,1777948200000,'{"n":7}');
INSERT INTO samples VALUES(36,'blog',13,1777962600000,'{"n":9}');
CREATE TABLE timeline (
    site     TEXT    NOT NULL,
    issue    INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    hour     INTEGER NOT NULL,
    enforced INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    unknown  INTEGER NOT NULL,
    PRIMARY KEY (issue, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO timeline VALUES('shop',1,1777896000000,0,0,12);
INSERT INTO timeline VALUES('shop',1,1777935600000,12,0,0);
INSERT INTO timeline VALUES('shop',1,1777975200000,0,12,0);
INSERT INTO timeline VALUES('shop',2,1777896000000,0,2,0);
INSERT INTO timeline VALUES('shop',2,1777899600000,0,0,2);
INSERT INTO timeline VALUES('shop',2,1777903200000,2,0,0);
INSERT INTO timeline VALUES('shop',3,1777896000000,0,0,3);
INSERT INTO timeline VALUES('shop',3,1777903200000,3,0,0);
INSERT INTO timeline VALUES('shop',3,1777910400000,0,3,0);
INSERT INTO timeline VALUES('blog',4,1777896000000,4,0,0);
INSERT INTO timeline VALUES('blog',4,1777906800000,0,4,0);
INSERT INTO timeline VALUES('blog',4,1777917600000,0,0,4);
INSERT INTO timeline VALUES('shop',5,1777896000000,0,11,0);
INSERT INTO timeline VALUES('shop',5,1777932000000,0,0,11);
INSERT INTO timeline VALUES('shop',5,1777968000000,11,0,0);
INSERT INTO timeline VALUES('shop',6,1777896000000,120,0,0);
INSERT INTO timeline VALUES('blog',7,1777896000000,1,1,1);
INSERT INTO timeline VALUES('shop',8,1777896000000,0,5,0);
INSERT INTO timeline VALUES('shop',8,1777910400000,0,0,5);
INSERT INTO timeline VALUES('shop',8,1777924800000,5,0,0);
INSERT INTO timeline VALUES('shop',9,1777896000000,0,0,6);
INSERT INTO timeline VALUES('shop',9,1777914000000,6,0,0);
INSERT INTO timeline VALUES('shop',9,1777932000000,0,6,0);
INSERT INTO timeline VALUES('blog',10,1777896000000,7,0,0);
INSERT INTO timeline VALUES('blog',10,1777917600000,0,7,0);
INSERT INTO timeline VALUES('blog',10,1777939200000,0,0,7);
INSERT INTO timeline VALUES('shop',11,1777896000000,0,8,0);
INSERT INTO timeline VALUES('shop',11,1777921200000,0,0,8);
INSERT INTO timeline VALUES('shop',11,1777946400000,8,0,0);
INSERT INTO timeline VALUES('shop',12,1777896000000,0,0,9);
INSERT INTO timeline VALUES('shop',12,1777924800000,9,0,0);
INSERT INTO timeline VALUES('shop',12,1777953600000,0,9,0);
INSERT INTO timeline VALUES('blog',13,1777896000000,10,0,0);
INSERT INTO timeline VALUES('blog',13,1777928400000,0,10,0);
INSERT INTO timeline VALUES('blog',13,1777960800000,0,0,10);
CREATE TABLE policies (
    site       TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    first_seen INTEGER NOT NULL,
    PRIMARY KEY (site, hash)
) STRICT, WITHOUT ROWID;
INSERT INTO policies VALUES('shop','4f1c','img-src ''self''',1777897800000);
CREATE TABLE documents (
    site   TEXT    NOT NULL,
    route  TEXT    NOT NULL, -- '*' is the sum of the routes beyond the cap
    policy TEXT    NOT NULL, -- the hash of Guard's hook
    hour   INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (site, route, policy, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO documents VALUES('shop','/shop/1','4f1c',1777896000000,300);
CREATE TABLE digests (
    digest BLOB    PRIMARY KEY,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO digests VALUES(X'00000000000000000000000000000000',1777897800000);
INSERT INTO digests VALUES(X'01000000000000000000000000000000',1777897800000);
INSERT INTO digests VALUES(X'02000000000000000000000000000000',1777897800000);
CREATE TABLE canaries (
    site     TEXT    NOT NULL,
    browser  TEXT    NOT NULL,
    hour     INTEGER NOT NULL,
    sent     INTEGER NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (site, browser, hour)
) STRICT, WITHOUT ROWID;
INSERT INTO canaries VALUES('shop','Firefox',1777896000000,15,12);
CREATE TABLE alerts (
    site    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    sent_at INTEGER NOT NULL, -- 0: not yet
    PRIMARY KEY (site, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX issues_by_last_seen ON issues (last_seen, id);
CREATE INDEX issues_of_site_by_last_seen ON issues (site, last_seen, id);
CREATE INDEX samples_of_issue ON samples (issue, id);
CREATE INDEX digests_by_time ON digests (at);
COMMIT;
PRAGMA application_id = 1836215406;
PRAGMA user_version = 2;
