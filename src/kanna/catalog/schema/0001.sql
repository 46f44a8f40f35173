-- kanna's library, schema 1: what is in the folders that its user named.
--
-- Anybody may read it while kanna runs (WAL). Times are seconds since 1970. Paths are absolute
-- text; one that is no valid Unicode is stored as bytes. A fingerprint is
-- "device:inode:size:mtime_ns", as in the cache of hashes. Digests are lower-case hex.

-- What the user named: a folder, a program's folder, or a settings file that names folders. Every
-- scan asks it anew which folders follow from it.
CREATE TABLE source (
    path    TEXT PRIMARY KEY,
    program TEXT,                             -- a1111, forge, comfyui, invokeai; NULL: none
    role    TEXT NOT NULL,                    -- active, backup: of its folders, if they say nothing
    content TEXT NOT NULL,                    -- models, images, both: what is looked for
    added   REAL NOT NULL
) WITHOUT ROWID;

-- A folder that is looked through, with all below it; files belong to the innermost one.
CREATE TABLE root (
    id      INTEGER PRIMARY KEY,
    path    TEXT NOT NULL UNIQUE,
    source  TEXT NOT NULL REFERENCES source (path) ON DELETE CASCADE,
    program TEXT,
    role    TEXT NOT NULL DEFAULT 'active',   -- active, backup
    content TEXT NOT NULL DEFAULT 'models',   -- models, images, both
    kind    TEXT,                             -- what the program keeps there; NULL: anything
    added   REAL NOT NULL
);
CREATE INDEX root_source ON root (source);

-- A folder that a source has, and that the user took out; nothing below it is looked at.
CREATE TABLE left_out (
    path   TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES source (path) ON DELETE CASCADE
) WITHOUT ROWID;

-- A model: a file, an index of shards, or a diffusers folder. Words are those of the identity
-- document of `kanna inspect --json`. A row stays when its file goes (`present` 0), for its tags
-- and notes; a file that was moved keeps its row. Where another file takes the place of one that is
-- gone, the row of that has " (#ID)" behind its path.
CREATE TABLE file (
    id           INTEGER PRIMARY KEY,
    root         INTEGER REFERENCES root (id) ON DELETE SET NULL,
    path         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    size         INTEGER NOT NULL,
    modified     REAL NOT NULL,
    present      INTEGER NOT NULL DEFAULT 1,
    first_seen   REAL NOT NULL,
    catalogued   REAL,                        -- when its header was read; NULL: not yet
    container    TEXT,
    kind         TEXT,
    architecture TEXT,                        -- of a LoRA and the like: of the model it is for
    variant      TEXT,
    certainty    TEXT,
    layout       TEXT,
    dtype        TEXT,
    quantization TEXT,
    prediction   TEXT,
    title        TEXT,                        -- what metadata or a file beside it call it
    said         TEXT,                        -- what else they say that people look for: author,
                                              -- trigger words, tags, base
    tensors      INTEGER,
    parameters   INTEGER,
    error        TEXT,                        -- the key of the error that reading it gave
    error_text   TEXT,                        -- the same as a sentence
    sha256             TEXT,
    data_sha256        TEXT,                  -- AutoV3 is its first 12 digits
    autov1             TEXT,
    blake3             TEXT,
    crc32              TEXT,
    embedding_checksum TEXT,
    sshs_model_hash    TEXT,                  -- what a LoRA's metadata call its hash
    hashed       REAL,                        -- when; NULL: not yet
    note         TEXT
);
CREATE INDEX file_fingerprint ON file (fingerprint);
CREATE INDEX file_name ON file (name);
-- The order of lists, and what most questions are about: kanna/catalog/asking.py.
CREATE INDEX file_order ON file (name COLLATE NOCASE, id);
CREATE INDEX file_modified ON file (modified, id);
CREATE INDEX file_size ON file (size, id);
CREATE INDEX file_kind ON file (kind, architecture);
CREATE INDEX file_architecture ON file (architecture);
CREATE INDEX file_gone ON file (id) WHERE present = 0;
CREATE INDEX file_broken ON file (id) WHERE error IS NOT NULL;
CREATE INDEX file_noted ON file (id) WHERE note IS NOT NULL;
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_data_sha256 ON file (data_sha256);
CREATE INDEX file_autov1 ON file (autov1);
CREATE INDEX file_blake3 ON file (blake3) WHERE blake3 IS NOT NULL;
CREATE INDEX file_crc32 ON file (crc32) WHERE crc32 IS NOT NULL;
CREATE INDEX file_checksum ON file (embedding_checksum) WHERE embedding_checksum IS NOT NULL;
CREATE INDEX file_sshs_model_hash ON file (sshs_model_hash) WHERE sshs_model_hash IS NOT NULL;
-- A name as it is looked up, in any spelling: kanna/catalog/matching_names.py makes the same of it.
CREATE INDEX file_spelling ON file (lower(replace(replace(name, '-', '_'), ' ', '_')));

-- Other names of a model, by which pictures and recipes may call it. `source`: former (the file's
-- before it was renamed), companion (what a file beside it says of where it was published),
-- metadata.
CREATE TABLE alias (
    file   INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (file, name, source)
) WITHOUT ROWID;
CREATE INDEX alias_spelling ON alias (lower(replace(replace(name, '-', '_'), ' ', '_')));
CREATE TRIGGER file_renamed AFTER UPDATE OF name ON file WHEN old.name <> new.name BEGIN
    INSERT OR IGNORE INTO alias VALUES (old.id, old.name, 'former');
END;

-- The identity document, without the file's metadata.
CREATE TABLE identity (
    file     INTEGER PRIMARY KEY REFERENCES file (id) ON DELETE CASCADE,
    document TEXT NOT NULL
);

-- The parts of a model. `digest` is the component digest: equal numbers under any names and
-- precision of the same rounding have the same.
CREATE TABLE part (
    file         INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    number       INTEGER NOT NULL,
    role         TEXT NOT NULL,
    architecture TEXT,
    prefix       TEXT NOT NULL,
    tensors      INTEGER,
    parameters   INTEGER,
    bytes        INTEGER,
    dtype        TEXT,
    digest       TEXT,
    PRIMARY KEY (file, number)
) WITHOUT ROWID;
CREATE INDEX part_digest ON part (digest);

-- Codes of `kanna check`.
CREATE TABLE finding (
    file INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    PRIMARY KEY (file, code)
) WITHOUT ROWID;
CREATE INDEX finding_code ON finding (code);

CREATE TABLE tag (
    file INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    word TEXT NOT NULL,
    PRIMARY KEY (file, word)
) WITHOUT ROWID;
CREATE INDEX tag_word ON tag (word);

-- What a file says it was made of. `relation`: merged_from, made_from, trained_on, vae_of,
-- lora_of; `digest` of any meaning, NULL where only a name is known.
CREATE TABLE origin (
    file     INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    relation TEXT NOT NULL,
    name     TEXT,
    digest   TEXT,
    PRIMARY KEY (file, number)
) WITHOUT ROWID;
CREATE INDEX origin_digest ON origin (digest);
CREATE INDEX origin_spelling ON origin (lower(replace(replace(name, '-', '_'), ' ', '_')))
    WHERE relation = 'made_from';

-- The words by which a file is found: rowid is file.id. How text becomes words:
-- kanna/catalog/wording.py.
CREATE VIRTUAL TABLE file_words USING fts5 (
    words, prefix = '2 3', tokenize = "unicode61 remove_diacritics 2"
);

-- A prompt with its negative prompt; pictures of one batch share it.
CREATE TABLE prompt (
    id       INTEGER PRIMARY KEY,
    digest   BLOB NOT NULL UNIQUE,            -- the first 16 bytes of the SHA-256 of both
    prompt   TEXT,
    negative TEXT
);
-- rowid is prompt.id; its words are not kept a second time.
CREATE VIRTUAL TABLE prompt_words USING fts5 (
    prompt, negative, content = '', tokenize = "unicode61 remove_diacritics 2"
);

CREATE TABLE image (
    id          INTEGER PRIMARY KEY,
    root        INTEGER REFERENCES root (id) ON DELETE SET NULL,
    path        TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    size        INTEGER NOT NULL,
    modified    REAL NOT NULL,
    present     INTEGER NOT NULL DEFAULT 1,
    catalogued  REAL,
    container   TEXT,
    width       INTEGER,
    height      INTEGER,
    dialect     TEXT,                         -- NULL: the picture says nothing
    prompt      INTEGER REFERENCES prompt (id),
    seed        TEXT,                         -- as text: seeds may exceed 63 bits
    steps       INTEGER,
    sampler     TEXT,
    cfg_scale   REAL,
    error       TEXT,
    error_text  TEXT
);
CREATE INDEX image_fingerprint ON image (fingerprint);
-- A search walks along one of these two, from the newest picture on: kanna/catalog/image_search.py.
CREATE INDEX image_modified ON image (modified, prompt) WHERE present = 1;
CREATE INDEX image_prompt ON image (prompt, modified) WHERE present = 1;
CREATE INDEX image_seed ON image (seed);

-- The models that a picture names, each once (text shared by all pictures that name it so).
CREATE TABLE named_model (
    id     INTEGER PRIMARY KEY,
    role   TEXT NOT NULL,
    name   TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL DEFAULT '',
    UNIQUE (role, name, digest)
);
CREATE INDEX named_model_name ON named_model (name);
CREATE INDEX named_model_digest ON named_model (digest);
CREATE TABLE image_model (
    image  INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    model  INTEGER NOT NULL REFERENCES named_model (id),
    weight REAL,
    PRIMARY KEY (model, image)
) WITHOUT ROWID;
CREATE INDEX image_model_image ON image_model (image);
