-- What became of a profile's messages, by the day: counted in the index alone. It serves what message_through did as well.
CREATE INDEX message_settled ON message (profile, state, finished_at, fallback) WHERE finished_at IS NOT NULL;
DROP INDEX message_through;
