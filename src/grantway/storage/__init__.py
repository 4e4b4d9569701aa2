"""SQL: one file per kind of record, the same text for every engine, and the migrations."""
