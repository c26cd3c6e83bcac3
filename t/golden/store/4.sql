-- A database as version 4 wrote it; never changed.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE seat (uid TEXT PRIMARY KEY, ns TEXT, name TEXT, node TEXT, app
    TEXT, device TEXT, cpu_m INTEGER, memory INTEGER, images INTEGER,
    running_ms INTEGER, retreating INTEGER, sent INTEGER, applied INTEGER,
    rendered INTEGER, proven INTEGER, withheld INTEGER, suspect INTEGER,
    batch INTEGER, blamed INTEGER, reverting INTEGER, filed INTEGER) WITHOUT
    ROWID;
CREATE TABLE search (device TEXT PRIMARY KEY, judged TEXT, isolating
    INTEGER, batches INTEGER, bad_batch INTEGER, parked INTEGER) WITHOUT
    ROWID;
CREATE TABLE fault (uid TEXT PRIMARY KEY, ns TEXT, name TEXT, node TEXT,
    images INTEGER, tries INTEGER, retry_ms INTEGER, text TEXT) WITHOUT
    ROWID;
CREATE TABLE entry (uid TEXT PRIMARY KEY, images INTEGER, edit TEXT);
CREATE TABLE clock (device TEXT PRIMARY KEY, since_ms INTEGER) WITHOUT ROWID;
CREATE TABLE active (uid TEXT PRIMARY KEY, ns TEXT, name TEXT, node TEXT,
    since_ms INTEGER) WITHOUT ROWID;
CREATE TABLE word (kind TEXT, name TEXT, uid INTEGER, at_ms INTEGER, created
    TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE record (id INTEGER PRIMARY KEY, at_ms INTEGER, pod TEXT,
    operation TEXT, desired TEXT, actual TEXT, action TEXT, result TEXT);
INSERT INTO seat VALUES ('uid-a', 'default', 'a', 'vk-flightctl-a',
    'k8s-a', 'd', 250, 67108864, 11, 4, 0, 1, 1, 2, 3, 1, 1, 5, 0, 0, 1);
INSERT INTO entry VALUES ('uid-a', 11, '{}');
INSERT INTO search VALUES ('d', '2026-01-01T00:00:00Z', 1, 6, 5, 2);
INSERT INTO fault VALUES ('uid-a', 'default', 'a', 'vk-flightctl-a', 11,
    2, 0, 'no such image');
INSERT INTO word VALUES ('drained', 'd', 1000, 1795419780000, '');
INSERT INTO record VALUES (1, 1795419780000, 'default/a', 'Choose', 'present',
    'WAITING', 'd', '');
PRAGMA user_version = 4;
