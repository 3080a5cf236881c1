-- Each opening of the configurator deletes tokens that are past their time: without reading those that are not.
CREATE INDEX used_token_by_expiry ON used_token (expires_at);
