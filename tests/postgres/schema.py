"""schema.sql as PostgreSQL takes it, by rules alone. The triggers are left out: these are written by hand."""

import re

TYPES = {"INTEGER": "BIGINT", "BLOB": "BYTEA", "TEXT": 'TEXT COLLATE "C"'}

REFERENCE = re.compile(r"^( *)(\w+)( [^,\n]*?) (REFERENCES \w+ \(\w+\) ON DELETE (?:CASCADE|SET NULL))", re.MULTILINE)


def translated(schema):
    schema = re.sub(r"--.*", "", schema)
    schema = re.sub(r"CREATE TRIGGER .*?\nEND;", "", schema, flags=re.DOTALL)
    schema = re.sub(r"\) STRICT(, WITHOUT ROWID)?;", ");", schema)
    schema = re.sub(r"\b(INTEGER|BLOB|TEXT)\b", lambda found: TYPES[found[0]], schema)
    tables = re.findall(r"CREATE TABLE (\w+) \((.*?)\n\);", schema, re.DOTALL)
    # A table may refer to one that is made later.
    keys = [f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) {reference};"
            for table, columns in tables for _, column, _, reference in REFERENCE.findall(columns)]
    return REFERENCE.sub(r"\1\2\3", schema) + "\n".join(keys)
