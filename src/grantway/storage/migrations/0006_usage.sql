-- How often each client was answered, by hour and cause. Findings are kept within quotas; these are counted without any.
CREATE TABLE usage (
    client_row_id TEXT NOT NULL,
    hour BIGINT NOT NULL,            -- its beginning, as microseconds since 1970 UTC
    cause TEXT NOT NULL,             -- empty: granted
    answers BIGINT NOT NULL,
    PRIMARY KEY (client_row_id, hour, cause)
);
CREATE INDEX usage_by_hour ON usage (hour);
INSERT INTO usage (client_row_id, hour, cause, answers)
    SELECT client_row_id, at - at % 3600000000, cause, sum(seen) FROM findings WHERE client_row_id <> '' GROUP BY 1, 2, 3;
