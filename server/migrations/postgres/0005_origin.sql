-- Where this database began: what was made of a dump of it is another database. Nobody serves from one before somebody has said
-- what becomes of the messages that wait in it, since they may have been sent after the dump.

CREATE TABLE _origin (
    id       BIGINT           NOT NULL PRIMARY KEY CHECK (id = 1),
    identity TEXT COLLATE "C" NOT NULL
);

-- The server, the database, and the table above: whatever is restored has another one of them. pg_upgrade makes another server.
CREATE FUNCTION database_identity() RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    server TEXT := '';
BEGIN
    BEGIN
        SELECT system_identifier::text INTO server FROM pg_control_system();
    EXCEPTION WHEN insufficient_privilege THEN
        NULL; -- A provider may keep it to itself.
    END;
    RETURN server || ':' || (SELECT oid FROM pg_database WHERE datname = current_database())
        || ':' || CAST(CAST('_origin' AS regclass) AS oid);
END $$;

INSERT INTO _origin (id, identity) VALUES (1, database_identity());
