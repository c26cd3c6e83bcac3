-- A database as version 2 wrote it; never changed.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE seat (uid TEXT PRIMARY KEY, ns TEXT, name TEXT, node TEXT, app
    TEXT, device TEXT, cpu_m INTEGER, memory INTEGER, images INTEGER,
    running_ms INTEGER, retreating INTEGER, sent INTEGER, applied INTEGER,
    rendered INTEGER, proven INTEGER) WITHOUT ROWID;
CREATE TABLE entry (uid TEXT PRIMARY KEY, images INTEGER, edit TEXT);
CREATE TABLE clock (device TEXT PRIMARY KEY, since_ms INTEGER) WITHOUT ROWID;
CREATE TABLE record (id INTEGER PRIMARY KEY, at_ms INTEGER, pod TEXT,
    operation TEXT, desired TEXT, actual TEXT, action TEXT, result TEXT);
INSERT INTO seat VALUES ('uid-a', 'default', 'a', 'vk-flightctl-a',
    'k8s-a', 'd', 250, 67108864, 11, 4, 0, 1, 1, 2, 3);
INSERT INTO entry VALUES ('uid-a', 11, '{}');
INSERT INTO record VALUES (1, 1795419780000, 'default/a', 'Choose', 'present',
    'WAITING', 'd', '');
PRAGMA user_version = 2;
