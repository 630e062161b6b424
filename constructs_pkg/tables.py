"""Aligned plain-text tables for people who read a terminal."""

from collections.abc import Sequence

__all__ = ["format_table"]


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 2) -> str:
    """Lay rows out in columns as wide as their widest cell.

    Args:
        header: The column titles.
        rows: The cells of each row, as many as there are titles.
        indent: Spaces in front of every line.

    Returns:
        The lines, joined, without a line feed at the end and without spaces at the ends of lines.
    """
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        (" " * indent + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )
