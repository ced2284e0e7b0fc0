-- The words of what is for sale, to correct a search that finds nothing. Only active products count: a correction must
-- not tell what a draft is called.

-- Trusted since PostgreSQL 13: whoever may create in the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The stem of a folded word as `search_query` takes it; NULL for a stop word.
CREATE FUNCTION search_stem(word text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT stem FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.english'::regconfig, word))) AS stem LIMIT 1);

-- The words of a product that a misspelt one can be corrected to: no numbers, sizes and codes, nothing very short.
CREATE FUNCTION search_words(title text, brand text, description text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT DISTINCT word
    FROM string_to_table(search_fold(title || ' ' || coalesce(brand, '') || ' ' || description), ' ') AS word
    WHERE word ~ '^[[:alpha:]]{3,40}$';
END;

-- As before, but a word of any length can be asked for: 2 KiB of letters are more than a tsquery takes, and were an
-- error. No word of the catalogue is as long as what is left of it.
CREATE OR REPLACE FUNCTION search_query(question text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(
               '(''' || word || ''':*'
               || coalesce((SELECT ' | ''' || stem || ''':*'
                            FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.english'::regconfig, word))) AS stem
                            LIMIT 1), '')
               || ')',
               ' & ')::tsquery
    FROM (SELECT left(word, 250) AS word
          FROM string_to_table(search_fold(question), ' ') AS word
          WHERE word <> ''
          LIMIT 8) AS words;
END;

CREATE TABLE search_word (
    word     text COLLATE "C" PRIMARY KEY,
    stem     text COLLATE "C" GENERATED ALWAYS AS (search_stem(word)) STORED,
    -- How many active products have it. A word that nothing has any more stays with 0 and is passed over.
    products integer NOT NULL
) WITH (fillfactor = 70);

-- Counts a statement's products in and out. Words are taken in their order, and a statement that changes them runs
-- under the catalogue lock, so that no two of them wait for each other.
CREATE FUNCTION count_search_words() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO search_word AS w (word, products)
        SELECT word, count(*)
        FROM after_rows AS p, search_words(p.title, p.brand, p.description) AS word
        WHERE p.status = 'ACTIVE'
        GROUP BY word ORDER BY word
        ON CONFLICT (word) DO UPDATE SET products = w.products + excluded.products;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO search_word AS w (word, products)
        SELECT word, sum(change)
        FROM (SELECT p.title, p.brand, p.description, p.status, 1 AS change
              FROM after_rows AS p JOIN before_rows AS o USING (id)
              WHERE (p.title, p.brand, p.description, p.status)
                    IS DISTINCT FROM (o.title, o.brand, o.description, o.status)
              UNION ALL
              SELECT o.title, o.brand, o.description, o.status, -1
              FROM after_rows AS p JOIN before_rows AS o USING (id)
              WHERE (p.title, p.brand, p.description, p.status)
                    IS DISTINCT FROM (o.title, o.brand, o.description, o.status)) AS p,
             search_words(p.title, p.brand, p.description) AS word
        WHERE p.status = 'ACTIVE'
        GROUP BY word HAVING sum(change) <> 0 ORDER BY word
        ON CONFLICT (word) DO UPDATE SET products = w.products + excluded.products;
    ELSE
        INSERT INTO search_word AS w (word, products)
        SELECT word, -count(*)
        FROM before_rows AS o, search_words(o.title, o.brand, o.description) AS word
        WHERE o.status = 'ACTIVE'
        GROUP BY word ORDER BY word
        ON CONFLICT (word) DO UPDATE SET products = w.products + excluded.products;
    END IF;
    RETURN NULL;
END;
$$;

-- Before the first count nobody may write: a product that came in between would be missing.
LOCK TABLE product IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO search_word (word, products)
SELECT word, count(*)
FROM product AS p, search_words(p.title, p.brand, p.description) AS word
WHERE p.status = 'ACTIVE'
GROUP BY word;

CREATE TRIGGER product_words_in AFTER INSERT ON product
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION count_search_words();
CREATE TRIGGER product_words_changed AFTER UPDATE ON product
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION count_search_words();
CREATE TRIGGER product_words_out AFTER DELETE ON product
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION count_search_words();

-- Finds the nearest few words without a look at all of them.
CREATE INDEX search_word_near ON search_word USING gist (word gist_trgm_ops);
CREATE INDEX search_word_by_stem ON search_word (stem);
