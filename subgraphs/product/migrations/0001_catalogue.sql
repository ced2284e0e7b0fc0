-- The catalogue: categories, products, variants, and what search needs.

CREATE TABLE category (
    id         uuid PRIMARY KEY,
    -- Slugs of the whole path joined by "--": the identity of a category. The imported path decides it.
    slug       text NOT NULL UNIQUE,
    name       text NOT NULL,
    parent_id  uuid REFERENCES category (id),
    -- Ancestors from the root, and the category itself: "within this category" is one containment test.
    path_ids   uuid[] NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT category_path_ends_in_itself CHECK (path_ids[array_upper(path_ids, 1)] = id)
);
CREATE INDEX category_path_ids ON category USING gin (path_ids);

-- A price in thousandths of its currency's unit. The decimals of each currency are those of contracts::Currency.
CREATE FUNCTION price_in_thousandths(minor bigint, currency text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN minor * CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV',
                      'XAF', 'XOF', 'XPF') THEN 1000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1
    ELSE 10
END;

-- Text folded for search: lower case, common accents removed, everything but letters and digits a space.
-- The catalogue and the question go through the same function, so that they always agree.
CREATE FUNCTION search_fold(input text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(
    translate(lower(input),
              'àáâãäåāăąçćčďđèéêëēėęěğìíîïīįıłñńňòóôõöøōőŕřśšşșťțùúûüūůűýÿźżž',
              'aaaaaaaaacccddeeeeeeeegiiiiiiilnnnoooooooorrssssttuuuuuuuyyzzz'),
    '[^[:alnum:]]+', ' ', 'g'));

-- Whole words count stemmed and as they stand; the latter is what an unfinished word can match.
CREATE FUNCTION search_document(title text, brand text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(to_tsvector('pg_catalog.simple'::regconfig, search_fold(title)), 'A')
    || setweight(to_tsvector('pg_catalog.english'::regconfig, search_fold(title)), 'A')
    || setweight(to_tsvector('pg_catalog.simple'::regconfig, coalesce(search_fold(brand), '')), 'B')
    || setweight(to_tsvector('pg_catalog.simple'::regconfig, search_fold(description)), 'D')
    || setweight(to_tsvector('pg_catalog.english'::regconfig, search_fold(description)), 'D');

-- Every word of the question as a prefix, literally or by its stem; all words are needed, the first eight count.
-- NULL when there is no word in it, which matches nothing.
CREATE FUNCTION search_query(question text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(
               '(''' || word || ''':*'
               || coalesce((SELECT ' | ''' || stem || ''':*'
                            FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.english'::regconfig, word))) AS stem
                            LIMIT 1), '')
               || ')',
               ' & ')::tsquery
    FROM (SELECT word
          FROM string_to_table(search_fold(question), ' ') AS word
          WHERE word <> ''
          LIMIT 8) AS words;
END;

CREATE TABLE product (
    id          uuid PRIMARY KEY,
    slug        text NOT NULL UNIQUE,
    title       text NOT NULL,
    description text NOT NULL,
    brand       text,
    image_url   text,
    category_id uuid NOT NULL REFERENCES category (id),
    status      text NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
    version     integer NOT NULL DEFAULT 1 CHECK (version > 0),
    -- The cheapest variant in thousandths of its currency's unit, so that one integer sorts and filters whatever
    -- the currency's number of decimals. Kept by every write of a variant's price, in the same transaction.
    price_from  bigint NOT NULL CHECK (price_from >= 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    title_key   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (left(lower(title), 100)) STORED,
    search      tsvector NOT NULL GENERATED ALWAYS AS (search_document(title, brand, description)) STORED
);

-- One index per sort; each is read forwards or backwards from the cursor, so page 500 costs what page 1 costs.
CREATE INDEX product_by_created ON product (created_at, id);
CREATE INDEX product_by_price ON product (price_from, id);
CREATE INDEX product_by_title ON product (title_key, id);
CREATE INDEX product_by_category ON product (category_id, created_at, id);
CREATE INDEX product_by_brand ON product (brand, created_at, id);
CREATE INDEX product_search ON product USING gin (search) WITH (fastupdate = off);

CREATE TABLE variant (
    id               uuid PRIMARY KEY,
    product_id       uuid NOT NULL REFERENCES product (id),
    sku              text NOT NULL UNIQUE,
    title            text NOT NULL,
    price_minor      bigint NOT NULL CHECK (price_minor >= 0),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    compare_at_minor bigint CHECK (compare_at_minor > price_minor),
    weight_grams     integer CHECK (weight_grams >= 0),
    -- Order within the product.
    position         integer NOT NULL,
    version          integer NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX variant_by_product ON variant (product_id, position, id);
