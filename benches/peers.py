"""What a team would pick for rolling up, from PyPI: DuckDB, Polars, ClickHouse (chdb).

Usage: peers.py DIRECTORY. The directory has the SYNTHETIC figures as columns, one file each. Commands come on stdin, one
a line: PEER LEVELS, where LEVELS is `stored` (nation and provinces) or `all` (districts and communes too). Each is answered
by one line of JSON: seconds, the year's national sums by indicator, and how many figures are in them.
"""

import json
import os
import sys
import time

import numpy

directory = sys.argv[1]
COLUMNS = {
    "province": numpy.int16,
    "district": numpy.int16,
    "commune": numpy.int32,
    "indicator": numpy.int16,
    "month": numpy.int16,
    "value": numpy.int32,
}
columns = {name: numpy.fromfile(os.path.join(directory, name), dtype=kind) for name, kind in COLUMNS.items()}

# The standard periods of a year, as their months: 12 months, 4 quarters, 2 half-years, nine months, the year.
PERIODS = [[m] for m in range(1, 13)]
PERIODS += [list(range(3 * q + 1, 3 * q + 4)) for q in range(4)]
PERIODS += [list(range(1, 7)), list(range(7, 13)), list(range(1, 10)), list(range(1, 13))]
YEAR = len(PERIODS) - 1
OF_MONTHS = [(p, m) for p, months in enumerate(PERIODS) for m in months]
# Those longer than a quarter, as their quarters; and the quarters themselves.
OF_QUARTERS = [(12 + q, q) for q in range(4)] + [(16, 0), (16, 1), (17, 2), (17, 3)]
OF_QUARTERS += [(18, q) for q in range(3)] + [(19, q) for q in range(4)]


def pairs(rows):
    return ", ".join(f"({a}, {b})" for a, b in rows)


class Duck:
    def __init__(self):
        import duckdb
        import pyarrow

        self.db = duckdb.connect(os.path.join(directory, "figures.duckdb"))
        self.db.execute("SET threads = 2; SET preserve_insertion_order = false")
        arrow = pyarrow.table(columns)  # noqa: F841, DuckDB finds it by its name
        self.db.execute("CREATE TABLE figures AS SELECT * FROM arrow")
        self.db.execute(f"CREATE TABLE of_months AS SELECT * FROM (VALUES {pairs(OF_MONTHS)}) AS t(period, month)")
        self.db.execute(f"CREATE TABLE of_quarters AS SELECT * FROM (VALUES {pairs(OF_QUARTERS)}) AS t(period, quarter)")
        self.db.execute("CHECKPOINT")

    def run(self, levels):
        begun = time.perf_counter()
        unit = "district, province" if levels == "all" else "province"
        self.db.execute(
            f"CREATE OR REPLACE TEMP TABLE by_month AS SELECT indicator, {unit}, month, SUM(value)::BIGINT AS value, "
            f"COUNT(*) AS cells FROM figures GROUP BY ALL"
        )
        sets = "(indicator, period), (indicator, province, period)"
        district = ""
        if levels == "all":
            sets += ", (indicator, district, period)"
            district = "district, "
        self.db.execute(
            f"CREATE OR REPLACE TEMP TABLE totals AS SELECT indicator, {district}province, period, "
            f"SUM(value)::BIGINT AS value, SUM(cells)::BIGINT AS cells "
            f"FROM by_month JOIN of_months USING (month) GROUP BY GROUPING SETS ({sets})"
        )
        if levels == "all":
            self.db.execute(
                "CREATE OR REPLACE TEMP TABLE quarters AS SELECT indicator, commune, (month - 1) // 3 AS quarter, "
                "SUM(value)::BIGINT AS value, COUNT(*) AS cells FROM figures GROUP BY ALL"
            )
            self.db.execute(
                "CREATE OR REPLACE TEMP TABLE communes AS SELECT indicator, commune, period, "
                "SUM(value)::BIGINT AS value, SUM(cells)::BIGINT AS cells FROM quarters JOIN of_quarters USING (quarter) GROUP BY ALL"
            )
        took = time.perf_counter() - begun
        nowhere = "province IS NULL" + (" AND district IS NULL" if levels == "all" else "")
        rows = self.db.execute(
            f"SELECT value, cells FROM totals WHERE period = {YEAR} AND {nowhere} ORDER BY indicator"
        ).fetchall()
        return took, [int(v) for v, _ in rows], sum(int(c) for _, c in rows)


class Polars:
    def __init__(self):
        import polars

        self.pl = polars
        self.figures = polars.DataFrame(columns)
        self.of_months = polars.DataFrame(OF_MONTHS, schema={"period": polars.Int16, "month": polars.Int16}, orient="row")
        self.of_quarters = polars.DataFrame(OF_QUARTERS, schema={"period": polars.Int16, "quarter": polars.Int16}, orient="row")

    def run(self, levels):
        pl = self.pl
        begun = time.perf_counter()
        unit = ["district", "province"] if levels == "all" else ["province"]
        by_month = self.figures.group_by(["indicator", *unit, "month"]).agg(
            pl.col("value").cast(pl.Int64).sum(), pl.len().cast(pl.Int64).alias("cells")
        )
        spread = by_month.join(self.of_months, on="month")
        both = [pl.col("value").sum(), pl.col("cells").sum()]
        totals = [spread.group_by(["indicator", *keys, "period"]).agg(both) for keys in [[u] for u in unit]]
        nation = totals[-1].group_by(["indicator", "period"]).agg(both)
        if levels == "all":
            quarters = self.figures.group_by(["indicator", "commune", ((pl.col("month") - 1) // 3).alias("quarter")]).agg(
                pl.col("value").cast(pl.Int64).sum(), pl.len().cast(pl.Int64).alias("cells")
            )
            totals.append(quarters.join(self.of_quarters, on="quarter").group_by(["indicator", "commune", "period"]).agg(both))
        took = time.perf_counter() - begun
        year = nation.filter(pl.col("period") == YEAR).sort("indicator")
        return took, year["value"].to_list(), int(year["cells"].sum())


class ClickHouse:
    def __init__(self):
        import pyarrow
        import pyarrow.parquet
        from chdb import session

        path = os.path.join(directory, "figures.parquet")
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
        self.db = session.Session(os.path.join(directory, "chdb"))
        self.db.query("CREATE DATABASE IF NOT EXISTS b ENGINE = Atomic")
        fields = "province Int16, district Int16, commune Int32, indicator Int16, month Int16, value Int32"
        self.db.query(f"CREATE TABLE b.figures ({fields}) ENGINE = MergeTree ORDER BY (indicator, commune, month)")
        self.db.query(f"INSERT INTO b.figures SELECT province, district, commune, indicator, month, value FROM file('{path}')")
        self.db.query("OPTIMIZE TABLE b.figures FINAL")
        self.db.query("CREATE TABLE b.of_months (period Int16, month Int16) ENGINE = Memory")
        self.db.query(f"INSERT INTO b.of_months VALUES {pairs(OF_MONTHS)}")
        self.db.query("CREATE TABLE b.of_quarters (period Int16, quarter Int16) ENGINE = Memory")
        self.db.query(f"INSERT INTO b.of_quarters VALUES {pairs(OF_QUARTERS)}")
        os.remove(path)

    def made(self, name, query):
        self.db.query(f"DROP TABLE IF EXISTS b.{name}")
        self.db.query(f"CREATE TABLE b.{name} ENGINE = Memory AS {query}")

    def run(self, levels):
        begun = time.perf_counter()
        unit = "district, province" if levels == "all" else "province"
        self.made(
            "by_month",
            f"SELECT indicator, {unit}, month, sum(value) AS v, count() AS cells FROM b.figures GROUP BY indicator, {unit}, month",
        )
        district, sets = "", "(indicator, period), (indicator, province, period)"
        if levels == "all":
            district, sets = "district, ", sets + ", (indicator, district, period)"
        self.made(
            "totals",
            f"SELECT indicator, {district}province, period, sum(v) AS value, sum(cells) AS n, "
            f"{'grouping(district) + ' if levels == 'all' else ''}grouping(province) AS above "
            f"FROM b.by_month JOIN b.of_months USING (month) GROUP BY GROUPING SETS ({sets})",
        )
        if levels == "all":
            self.made(
                "quarters",
                "SELECT indicator, commune, toInt16(intDiv(month - 1, 3)) AS quarter, sum(value) AS v, count() AS cells "
                "FROM b.figures GROUP BY indicator, commune, quarter",
            )
            self.made(
                "communes",
                "SELECT indicator, commune, period, sum(v) AS value, sum(cells) AS n "
                "FROM b.quarters JOIN b.of_quarters USING (quarter) GROUP BY indicator, commune, period",
            )
        took = time.perf_counter() - begun
        most = "(SELECT max(above) FROM b.totals)"
        text = str(
            self.db.query(
                f"SELECT value, n FROM b.totals WHERE period = {YEAR} AND above = {most} ORDER BY indicator", "CSV"
            )
        )
        rows = [line.split(",") for line in text.strip().splitlines()]
        return took, [int(v) for v, _ in rows], sum(int(n) for _, n in rows)


kinds = {"duckdb": Duck, "polars": Polars, "chdb": ClickHouse}
peers = {}
print(json.dumps({"ready": len(columns["value"])}), flush=True)
for line in sys.stdin:
    name, levels = line.split()
    try:
        if name not in peers:
            peers[name] = kinds[name]()
        took, sums, cells = peers[name].run(levels)
        print(json.dumps({"seconds": took, "nation": sums, "cells": cells}), flush=True)
    except Exception as error:  # said to whoever asked, who decides
        print(json.dumps({"error": f"{name}: {error!r}"}), flush=True)
