"""The tables of the emulator's database.

* `objects`: one row per version. `serial` grows with every write, and `is_latest` marks the version that a read without a
  version id finds. Keys are BLOBs of UTF-8: SQLite compares them byte by byte, which is the order of listings.
* `blobs`: the bytes of contents. A version's content is a list of segments `[blob, offset, length]`, each a range of a blob.
  `blobs.refs` counts the segments of a blob, so that copies and completed uploads share bytes instead of copying them. Small
  contents are in `blobs.data`; larger ones are files named by the blob's id.
* `failures`: the versions whose replication failed; the column `due` is the time of the next attempt.
* `completions`: completed uploads whose versions still exist, with the numbers and ETags of the parts in the request, so that a
  repeated CompleteMultipartUpload gets the same response.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    crn TEXT PRIMARY KEY,
    guid TEXT NOT NULL UNIQUE,
    api_key TEXT NOT NULL UNIQUE,
    access_key_id TEXT NOT NULL UNIQUE,
    secret_access_key TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (
    api_key TEXT PRIMARY KEY,
    instance TEXT NOT NULL REFERENCES instances(crn),
    role TEXT NOT NULL,
    access_key_id TEXT NOT NULL UNIQUE,
    secret_access_key TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS buckets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL REFERENCES instances(crn),
    created REAL NOT NULL,
    location TEXT NOT NULL,
    acl TEXT NOT NULL,
    kp_root_key_crn TEXT,
    versioning TEXT,
    settings TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS blobs (
    id TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    data BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL REFERENCES buckets(id),
    key BLOB NOT NULL,
    version_id TEXT NOT NULL DEFAULT 'null',
    is_latest INTEGER NOT NULL DEFAULT 1,
    delete_marker INTEGER NOT NULL DEFAULT 0,
    modified REAL NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    owner TEXT NOT NULL,
    headers TEXT NOT NULL,
    metadata TEXT NOT NULL,
    sums TEXT NOT NULL,
    segments TEXT NOT NULL,
    parts TEXT,
    acl TEXT NOT NULL,
    customer_md5 TEXT,
    retention TEXT,
    lock TEXT,
    archive TEXT,
    part_sums TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS latest ON objects (bucket, key) WHERE is_latest = 1;
CREATE UNIQUE INDEX IF NOT EXISTS versions ON objects (bucket, key, serial DESC);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    bucket INTEGER NOT NULL REFERENCES buckets(id),
    key BLOB NOT NULL,
    initiated REAL NOT NULL,
    owner TEXT NOT NULL,
    headers TEXT NOT NULL,
    metadata TEXT NOT NULL,
    acl TEXT NOT NULL,
    customer_md5 TEXT,
    checksum_algorithm TEXT,
    checksum_type TEXT,
    lock TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS open_uploads ON uploads (bucket, key, id);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads(id),
    number INTEGER NOT NULL,
    modified REAL NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    sums TEXT NOT NULL,
    segments TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS completions (
    upload TEXT PRIMARY KEY,
    serial INTEGER NOT NULL REFERENCES objects(serial) ON DELETE CASCADE ON UPDATE CASCADE,
    parts TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS completed_versions ON completions (serial);
CREATE TABLE IF NOT EXISTS failures (
    serial INTEGER PRIMARY KEY REFERENCES objects(serial) ON DELETE CASCADE ON UPDATE CASCADE,
    bucket INTEGER NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    due REAL
);
CREATE INDEX IF NOT EXISTS newest_failures ON failures (bucket, first DESC, serial DESC);
CREATE INDEX IF NOT EXISTS due_failures ON failures (due) WHERE due IS NOT NULL;
"""

ADDED = {
    "buckets": {"settings": "TEXT NOT NULL DEFAULT '{}'"},
    "objects": {"lock": "TEXT", "archive": "TEXT", "part_sums": "TEXT"},
    "uploads": {"lock": "TEXT"},
}
"""Columns missing from databases of earlier releases. They are added when such a database is opened."""
