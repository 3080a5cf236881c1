-- What the processes on one database (replicas) share besides the tables of SQLite: which of them are there, the places that each
-- has taken of a limit, what may leave under a rate, and the clock of each machine. None of it outlives the processes, so none
-- of it is copied, backed up or moved with the clock.

-- A process that serves. Whoever is gone is deleted by the others, with its places.
CREATE TABLE replica (
    id    INTEGER NOT NULL PRIMARY KEY, -- at random; its process holds an advisory lock with this number
    until BIGINT  NOT NULL -- by the database's own clock: it has to say before that it is still there
);

-- Places of a limit, such as the connections of a destination: all replicas together have no more than there are.
CREATE TABLE place (
    name    TEXT COLLATE "C" NOT NULL, -- of the limit
    replica INTEGER          NOT NULL REFERENCES replica (id) ON DELETE CASCADE,
    amount  BIGINT           NOT NULL,
    PRIMARY KEY (name, replica)
);
CREATE INDEX place_by_replica ON place (replica);

-- What may happen a minute: a bucket that fills at that rate. A replica takes a small portion at a time.
CREATE TABLE rate (
    name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tokens DOUBLE PRECISION NOT NULL,
    at     DOUBLE PRECISION NOT NULL -- milliseconds, by the database's own clock
);
CREATE INDEX rate_by_age ON rate (at);

-- The last instant that each machine has seen. The row of `clock` is only read where there is none.
CREATE TABLE machine (
    boot    TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- which start of which machine
    seen_at BIGINT           NOT NULL,             -- by the database's clock
    up_ms   BIGINT           NOT NULL              -- milliseconds since that start
);
INSERT INTO machine (boot, seen_at, up_ms) SELECT boot, seen_at, up_ms FROM clock;

-- Milliseconds since the epoch, now: not those of the transaction's beginning.
CREATE FUNCTION now_ms() RETURNS DOUBLE PRECISION LANGUAGE sql VOLATILE AS $$
    SELECT extract(epoch FROM clock_timestamp())::double precision * 1000
$$;

-- Sets how many places of each limit a replica has; false where the others leave too few. Of no places in all, a replica has at
-- most what it had: it gives some back.
-- One transaction at a time decides about a limit; the locks are taken in their order.
CREATE FUNCTION set_places(who INTEGER, names TEXT[], targets BIGINT[], mosts BIGINT[])
RETURNS TABLE (number BIGINT, granted BOOLEAN) LANGUAGE plpgsql AS $$
DECLARE
    one    RECORD;
    mine   BIGINT;
    others BIGINT;
BEGIN
    FOR one IN
        SELECT given.name, given.target, given.most, given.number, hashtextextended(given.name, 3) AS lock
        FROM unnest(names, targets, mosts) WITH ORDINALITY AS given (name, target, most, number)
        ORDER BY lock, given.number
    LOOP
        PERFORM pg_advisory_xact_lock(one.lock);
        SELECT coalesce(sum(place.amount) FILTER (WHERE place.replica = who), 0),
               coalesce(sum(place.amount) FILTER (WHERE place.replica <> who), 0)
            INTO mine, others FROM place WHERE place.name = one.name;
        number := one.number;
        granted := CASE WHEN one.most = 0 THEN one.target <= mine ELSE others + one.target <= one.most END;
        IF granted AND one.target = 0 THEN
            DELETE FROM place WHERE place.name = one.name AND place.replica = who;
        ELSIF granted AND one.target <> mine THEN
            INSERT INTO place (name, replica, amount) VALUES (one.name, who, one.target)
            ON CONFLICT ON CONSTRAINT place_pkey DO UPDATE SET amount = excluded.amount;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Takes up to `wanted` out of a bucket; how many, and, where none, after how many milliseconds there is one.
CREATE FUNCTION take_rate(given TEXT, per_ms DOUBLE PRECISION, most DOUBLE PRECISION, wanted BIGINT)
RETURNS TABLE (taken BIGINT, wait_ms DOUBLE PRECISION) LANGUAGE plpgsql AS $$
DECLARE
    bucket RECORD;
    here   DOUBLE PRECISION;
    there  DOUBLE PRECISION;
BEGIN
    INSERT INTO rate (name, tokens, at) VALUES (given, most, now_ms()) ON CONFLICT ON CONSTRAINT rate_pkey DO NOTHING;
    SELECT * INTO bucket FROM rate WHERE rate.name = given FOR UPDATE;
    here := now_ms();
    there := least(most, bucket.tokens + greatest(0, here - bucket.at) * per_ms);
    taken := least(floor(there)::bigint, wanted);
    wait_ms := CASE WHEN taken > 0 THEN 0 ELSE (1 - there) / per_ms END;
    UPDATE rate SET tokens = there - taken, at = here WHERE rate.name = given;
    RETURN NEXT;
END $$;
