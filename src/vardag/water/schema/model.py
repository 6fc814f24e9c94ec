"""How a table is described: its columns with type, unit and meaning."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """One column: SQL type, meaning, unit where it has one, and whether the city must map it."""

    name: str
    type: str
    doc: str
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its columns, its key, and whether a city delivers it or a run derives it."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: str = ""
    geometry: str = ""
    delivered: bool = field(default=False, kw_only=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def mappable(self) -> tuple[Column, ...]:
        """Columns that a city.toml may map: all but geometry and trace."""
        return tuple(column for column in self.columns if column.name not in {"geom", "source", "line"})

    def column(self, name: str) -> Column:
        """Return a column by name."""
        return next(column for column in self.columns if column.name == name)

    def ddl(self) -> str:
        """SQL that makes the table."""
        columns = ", ".join(f'"{column.name}" {column.type}' for column in self.columns)
        return f'CREATE TABLE IF NOT EXISTS "{self.name}" ({columns})'


TRACE = (
    Column("source", "TEXT", "name of the source in city.toml that delivered the row"),
    Column("line", "BIGINT", "line in the file (CSV) or number of the feature, from 1"),
)
