-- A database as the code with schema 1 wrote it.
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
    pages               INTEGER NOT NULL, -- rows in pages with a route
    UNIQUE (site, fingerprint_version, fingerprint)
) STRICT;
INSERT INTO issues VALUES(1,'shop',1,X'79589c6d2db894439016775727e2a959',0,'csp-violation','img-src','origin','https://cdn4.example','',1777897800000,1777926600000,5,5,5,1);
INSERT INTO issues VALUES(2,'blog',1,X'e49e07abbc1a0742f2a214b43923b3d5',0,'csp-violation','script-src-elem','inline','https://cdn6.example','it''s; DROP TABLE issues',1777897800000,1777941000000,7,7,7,1);
INSERT INTO issues VALUES(3,'blog',1,X'b7ccc2432f71244f4c8e7f7083901e35',0,'csp-violation','script-src-elem','inline','https://cdn9.example','it''s; DROP TABLE issues',1777897800000,1777962600000,10,10,10,1);
INSERT INTO issues VALUES(4,'shop',1,X'1db26726461f92844b29042095f5f7cd',0,'csp-violation','img-src','origin','https://cdn11.example','',1777897800000,1777977000000,12,12,12,1);
INSERT INTO issues VALUES(5,'shop',1,X'47af3df95194fb67ec84938d60d8e325',0,'csp-violation','img-src','origin','https://cdn2.example','',1777897800000,1777912200000,3,3,3,1);
INSERT INTO issues VALUES(6,'blog',1,X'dcf564ec6236ce57c8afe5051e1e0546',0,'csp-violation','script-src-elem','inline','https://cdn3.example','it''s; DROP TABLE issues',1777897800000,1777919400000,4,4,4,1);
INSERT INTO issues VALUES(7,'shop',1,X'55584cea5072ce7bd0acaa2623e5a966',0,'csp-violation','img-src','origin','https://cdn5.example','',1777897800000,1777933800000,6,6,6,1);
INSERT INTO issues VALUES(8,'shop',1,X'2d2f454dbd2c857127f9171f2582955c',0,'csp-violation','img-src','origin','https://cdn7.example','',1777897800000,1777948200000,8,8,8,1);
INSERT INTO issues VALUES(9,'shop',1,X'52177ea1562fd81af1c973abcd4bbb46',0,'csp-violation','img-src','origin','https://cdn8.example','',1777897800000,1777955400000,9,9,9,1);
INSERT INTO issues VALUES(10,'shop',1,X'986e9d0bad1e9ecdb551eb1b222a334c',0,'csp-violation','img-src','origin','https://cdn10.example','',1777897800000,1777969800000,11,11,11,1);
INSERT INTO issues VALUES(11,'shop',1,X'bab4837090c5174a3b3cf32657609b0b',0,'csp-violation','img-src','origin','https://many.example','',1777897800000,1777897800000,120,0,0,32);
INSERT INTO issues VALUES(12,'blog',1,X'cfd195dc33da6c80899dadf45d2229e8',0,'csp-violation','script-src-elem','inline','https://cdn0.example','it''s; DROP TABLE issues',1777897800000,1777897800000,1,1,1,1);
INSERT INTO issues VALUES(13,'shop',1,X'4c92d556c9850ef187a8e87d5b767777',0,'csp-violation','img-src','origin','https://cdn1.example','',1777897800000,1777905000000,2,2,2,1);
CREATE TABLE pages (
    site  TEXT    NOT NULL,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    route TEXT    NOT NULL, -- '' is the sum of the routes beyond the cap
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, route)
) STRICT, WITHOUT ROWID;
INSERT INTO pages VALUES('shop',1,'/shop/0',15);
INSERT INTO pages VALUES('blog',2,'/shop/2',21);
INSERT INTO pages VALUES('blog',3,'/shop/1',30);
INSERT INTO pages VALUES('shop',4,'/shop/3',36);
INSERT INTO pages VALUES('shop',5,'/shop/2',9);
INSERT INTO pages VALUES('blog',6,'/shop/3',12);
INSERT INTO pages VALUES('shop',7,'/shop/1',18);
INSERT INTO pages VALUES('shop',8,'/shop/3',24);
INSERT INTO pages VALUES('shop',9,'/shop/0',27);
INSERT INTO pages VALUES('shop',10,'/shop/2',33);
INSERT INTO pages VALUES('shop',11,'',24);
INSERT INTO pages VALUES('shop',11,'/many/0',3);
INSERT INTO pages VALUES('shop',11,'/many/10',3);
INSERT INTO pages VALUES('shop',11,'/many/11',3);
INSERT INTO pages VALUES('shop',11,'/many/12',3);
INSERT INTO pages VALUES('shop',11,'/many/13',3);
INSERT INTO pages VALUES('shop',11,'/many/14',3);
INSERT INTO pages VALUES('shop',11,'/many/15',3);
INSERT INTO pages VALUES('shop',11,'/many/16',3);
INSERT INTO pages VALUES('shop',11,'/many/17',3);
INSERT INTO pages VALUES('shop',11,'/many/18',3);
INSERT INTO pages VALUES('shop',11,'/many/19',3);
INSERT INTO pages VALUES('shop',11,'/many/2',3);
INSERT INTO pages VALUES('shop',11,'/many/20',3);
INSERT INTO pages VALUES('shop',11,'/many/21',3);
INSERT INTO pages VALUES('shop',11,'/many/22',3);
INSERT INTO pages VALUES('shop',11,'/many/23',3);
INSERT INTO pages VALUES('shop',11,'/many/24',3);
INSERT INTO pages VALUES('shop',11,'/many/26',3);
INSERT INTO pages VALUES('shop',11,'/many/28',3);
INSERT INTO pages VALUES('shop',11,'/many/3',3);
INSERT INTO pages VALUES('shop',11,'/many/31',3);
INSERT INTO pages VALUES('shop',11,'/many/34',3);
INSERT INTO pages VALUES('shop',11,'/many/35',3);
INSERT INTO pages VALUES('shop',11,'/many/36',3);
INSERT INTO pages VALUES('shop',11,'/many/37',3);
INSERT INTO pages VALUES('shop',11,'/many/38',3);
INSERT INTO pages VALUES('shop',11,'/many/39',3);
INSERT INTO pages VALUES('shop',11,'/many/4',3);
INSERT INTO pages VALUES('shop',11,'/many/5',3);
INSERT INTO pages VALUES('shop',11,'/many/6',3);
INSERT INTO pages VALUES('shop',11,'/many/7',3);
INSERT INTO pages VALUES('shop',11,'/many/8',3);
INSERT INTO pages VALUES('blog',12,'/shop/0',3);
INSERT INTO pages VALUES('shop',13,'/shop/1',6);
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
CREATE INDEX issues_by_last_seen ON issues (last_seen, id);
CREATE INDEX issues_of_site_by_last_seen ON issues (site, last_seen, id);
COMMIT;
PRAGMA application_id = 1836215406;
PRAGMA user_version = 1;
