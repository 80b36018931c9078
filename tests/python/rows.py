"""Reads an exported file as other people's tools do, and prints its rows as JSON: every value as text, nothing as null.

Usage: rows.py pandas|duckdb|feather|openpyxl FILE
"""

import datetime
import decimal
import json
import math
import sys


def text(value):
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return format(decimal.Decimal(repr(value)), "f")
    return str(value)




def exact_sum(values):
    return text(sum((v for v in values if v is not None), decimal.Decimal(0)))


def with_pandas(path):
    import pandas
    import pyarrow.parquet

    # As columns of Arrow, so that a count with nothing in it does not become a float.
    frame = pandas.read_parquet(path, engine="pyarrow", dtype_backend="pyarrow")
    schema = pyarrow.parquet.read_schema(path)
    rows = pyarrow.parquet.read_table(path).to_pylist()
    return {
        "rows": [{name: text(value) for name, value in row.items()} for row in rows],
        "count": len(frame),
        "sum": text(frame["value"].sum()),
        "types": {field.name: str(field.type) for field in schema},
        "metadata": {k.decode(): v.decode() for k, v in schema.metadata.items() if k.startswith(b"tonghop")},
    }


def with_duckdb(path):
    import duckdb

    connection = duckdb.connect()
    table = connection.execute("SELECT * FROM read_parquet(?)", [path])
    names = [column[0] for column in table.description]
    rows = [dict(zip(names, map(text, row))) for row in table.fetchall()]
    total = connection.execute("SELECT sum(value), count(*) FROM read_parquet(?)", [path]).fetchone()
    types = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
    return {"rows": rows, "count": total[1], "sum": text(total[0]), "types": {t[0]: t[1] for t in types}}


def with_feather(path):
    import pyarrow.feather
    import pyarrow.ipc

    table = pyarrow.feather.read_table(path)
    with pyarrow.ipc.open_file(path) as file:
        metadata = {k.decode(): v.decode() for k, v in file.schema.metadata.items()}
    rows = [{name: text(value) for name, value in row.items()} for row in table.to_pylist()]
    return {
        "rows": rows,
        "count": table.num_rows,
        "sum": exact_sum(table["value"].to_pylist()),
        "types": {field.name: str(field.type) for field in table.schema},
        "metadata": metadata,
    }


def with_openpyxl(path):
    import openpyxl

    workbook = openpyxl.load_workbook(path)
    table, notes = workbook.worksheets
    lines = list(table.iter_rows())
    said = {row[0].value: row[1].value for row in notes.iter_rows() if row[0].value is not None}
    # Headings may repeat among the terms; the columns stand last in the notes, in the table's order.
    columns = [row[1].value for row in notes.iter_rows()][-len(lines[0]):]
    rows = [{name: text(cell.value) for name, cell in zip(columns, line)} for line in lines[1:]]
    kinds = [{name: cell.data_type for name, cell in zip(columns, line)} for line in lines[1:]]
    return {
        "rows": rows,
        "count": len(rows),
        "kinds": kinds,
        "headings": [cell.value for cell in lines[0]],
        "sheets": workbook.sheetnames,
        "notes": said,
        "hidden": [columns[i] for i, cell in enumerate(lines[0]) if table.column_dimensions[cell.column_letter].hidden],
    }


if __name__ == "__main__":
    read = {"pandas": with_pandas, "duckdb": with_duckdb, "feather": with_feather, "openpyxl": with_openpyxl}
    json.dump(read[sys.argv[1]](sys.argv[2]), sys.stdout)
