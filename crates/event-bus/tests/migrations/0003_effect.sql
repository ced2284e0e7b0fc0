-- What the tests' handlers write.
CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event uuid NOT NULL, kind text NOT NULL);
