"""Makes and fills in workbooks as other people's tools do, for the tests of what is pushed.

Usage: workbooks.py traps FILE            a sheet of the long shape whose last column says what each line should be found
       workbooks.py form FILE             a hand-made form with merged headings and decomposed names
       workbooks.py fill FORM FILE JSON   fills in a form: {"row,column": value} counted from 1
       workbooks.py csv FILE              the long sheet as CSV with semicolons, for LibreOffice to convert
"""

import datetime
import json
import sys
import unicodedata

import openpyxl
from openpyxl.styles import Protection

COLUMNS = ["unit_code", "indicator", "breakdown", "period", "scope", "value", "qualifier", "not_available_reason", "programme"]
# A commune each, so that no two figures have one key.
UNITS = ["01840", "01843", "01846", "01849", "01852", "01855", "01858", "01864", "01867", "01870", "01873", "01876"]


def traps(path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Số liệu"
    sheet.append(["BÁO CÁO THÁNG 5 NĂM 2024"])
    sheet.merge_cells("A1:I1")
    sheet.append(COLUMNS)
    values = [
        12,
        "1.332",
        unicodedata.normalize("NFD", "gần 560 nghìn"),
        "=6*7",
        datetime.date(2024, 10, 10),
        True,
        "#REF!",
        (15, "0.000"),
        "10/10",
        "98%",
        "1,332",
        "15.000 lượt",
    ]
    for unit, value in zip(UNITS, values):
        sheet.append([unit, "tg02", "reporter=cong-an", "2024-M05", "own"])
        cell = sheet.cell(sheet.max_row, 6)
        if isinstance(value, tuple):
            cell.value, cell.number_format = value
        else:
            cell.value = value
        if value == "#REF!":
            cell.data_type = "e"
    workbook.save(path)


def form(path):
    decomposed = lambda text: unicodedata.normalize("NFD", text)
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Biểu 1"
    sheet["A1"] = "BÁO CÁO KẾT QUẢ PHONG TRÀO"
    sheet["A2"], sheet["B2"] = "Đơn vị:", decomposed("Tỉnh Bắc Kạn")
    sheet["A3"], sheet["B3"] = "Kỳ báo cáo:", "Tháng 5/2024"
    sheet["A4"], sheet["B4"] = "Phạm vi", "territory"
    sheet["C4"], sheet["D4"] = "Bên báo cáo", "Công an"
    for column, text in ((1, "TT"), (2, "Chỉ tiêu"), (6, "Ghi chú")):
        sheet.cell(6, column, text)
        sheet.merge_cells(start_row=6, start_column=column, end_row=7, end_column=column)
    sheet["C6"] = "Các huyện, thành phố"
    sheet.merge_cells("C6:E6")
    sheet["C7"], sheet["D7"], sheet["E7"] = decomposed("Huyện Chợ Mới"), "Ba Bể", decomposed("TP. Bắc Kạn")
    name = decomposed("Số tin báo, tố giác tội phạm có giá trị") if len(sys.argv) < 4 else decomposed(sys.argv[3])
    for column, value in enumerate([1, name, "1.332", 12, "hơn 15", "x"], start=1):
        sheet.cell(8, column, value)
    workbook.save(path)


def fill(form_path, path, values):
    workbook = openpyxl.load_workbook(form_path)
    sheet = workbook.worksheets[0]
    for place, value in json.loads(values).items():
        row, column = map(int, place.split(","))
        cell = sheet.cell(row, column)
        assert cell.protection == Protection(locked=False), f"{cell.coordinate} is locked"
        cell.value = value
    workbook.save(path)


def semicolons(path):
    with open(path, "w", encoding="utf-8") as out:
        out.write(";".join(COLUMNS) + "\n")
        for unit, value in zip(UNITS, ["12", "1.332", "2,2", "gần 560 nghìn"]):
            out.write(f"{unit};tg02;reporter=cong-an;2024-M05;own;{value};;;\n")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    {"traps": traps, "form": lambda path, *_: form(path), "fill": fill, "csv": semicolons}[what](*rest)
