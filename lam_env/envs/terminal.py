"""A scene as text for a terminal."""

from __future__ import annotations

import dataclasses
import math
import textwrap

import numpy as np

from lam_env.envs.pixels import rgb_array
from lam_env.envs.scene import RGB, Rectangle, Scene, Text, contrast, palette

_EDGES = " ╴╶─╵┘└┴╷┐┌┬│┤├┼"  # by the neighbours a line goes to: 1 left, 2 right, 4 up, 8 down
_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
Box = tuple[int, int, int, int]  # left, top, right, bottom cell, all included
Letters = dict[tuple[int, int], tuple[str, Text | None]]  # by row and column, and the text that it is of


class _Grid:
    """Characters of a terminal picture: box lines, and texts that never lie on each other."""

    def __init__(self, scene: Scene, columns: int, rows: int):
        self.columns, self.rows = columns, rows
        self.cell = scene.width / columns, scene.height / rows
        self.edges = np.zeros((rows, columns), np.int8)
        self.letters = Letters()
        self.boxes: dict[Box, tuple[float, float, float, float]] = {}  # and the place in the scene

    def outline(self, item: Rectangle) -> None:
        """Draws the four sides of a rectangle that has room for a line of text inside."""
        (w, h), last = self.cell, (self.columns - 1, self.rows - 1)
        left, top = (max(0, min(round(v), m)) for v, m in zip((item.x / w, item.y / h), last, strict=True))
        far = ((item.x + item.width) / w, (item.y + item.height) / h)
        right, bottom = (max(0, min(round(v), m)) for v, m in zip(far, last, strict=True))
        if right - left < 5 or bottom - top < 3:
            return
        self.boxes[left, top, right, bottom] = (item.x, item.y, item.x + item.width, item.y + item.height)
        for row in (top, bottom):
            self.edges[row, left:right] |= _RIGHT
            self.edges[row, left + 1 : right + 1] |= _LEFT
        for column in (left, right):
            self.edges[top:bottom, column] |= _DOWN
            self.edges[top + 1 : bottom + 1, column] |= _UP

    def cell_at(self, row: int, column: int) -> tuple[str, Text | None]:
        """The letter of a cell and the text that it belongs to."""
        return self.letters.get((row, column)) or (_EDGES[self.edges[row, column]], None)

    def write(self, texts: list[Text]) -> list[list[Text]]:
        """Writes the texts box by box; returns the lines that found no room, in reading order.

        Texts that share a label stand there whole, or in their place the label.
        """
        inside: dict[Box, list[Text]] = {}
        for text in texts:
            inside.setdefault(self._box_of(text), []).append(text)
        left_out = []
        for box, members in inside.items():
            torn: dict[str, Text] = {}
            letters, lost = self._placed(box, members)
            while cut := next(filter(None, ({text.label for text in line} - {""} for line in lost)), None):
                torn |= {text.label: text for text in members if text.label in cut}
                members = [text for text in members if text.label not in cut]
                letters, lost = self._placed(box, members)
            self.letters |= letters
            left_out += lost + self._listed(box, torn)
        return left_out

    def _listed(self, box: Box, said: dict[str, Text]) -> list[list[Text]]:
        """Labels one below the other where a box has rows left, each in the colour of a text; returns the others."""
        left_out, first = [], box[0] + 1
        for label, item in said.items():
            free = (row for row in range(box[1] + 1, box[3]) if not self._taken(row, [label], [first]))
            if first + len(label) > box[2] or (row := next(free, None)) is None:
                left_out.append([item])
            else:
                self.letters.update({(row, first + k): (letter, item) for k, letter in enumerate(label)})
        return left_out

    def _placed(self, box: Box, members: list[Text]) -> tuple[Letters, list[list[Text]]]:
        """The letters of a box, line by line, and the lines that are cut or not there."""
        letters, left_out, lines = Letters(), list[list[Text]](), list[list[Text]]()
        for text in sorted(members, key=lambda t: (t.y, t.x)):
            if lines and text.y - lines[-1][0].y < 0.4 * text.size:
                lines[-1].append(text)
            else:
                lines.append([text])
        for line in lines:
            line.sort(key=lambda t: t.box()[0])
        last = box[1]
        for i, line in enumerate(lines):
            _, top, _, bottom = line[0].box()
            latest = box[3] - (len(lines) - i)
            row = max(last + 1, min(math.floor((top + bottom) / 2 / self.cell[1]), latest))
            words = _fit([item.text for item in line], box[2] - box[0] - 1)
            columns = self._columns(box, line, words)
            while row < box[3] and self._taken(row, words, columns):
                row += 1
            if row < box[3] and words:
                last = row
                for item, word, column in zip(line, words, columns, strict=True):
                    letters.update({(row, column + k): (letter, item) for k, letter in enumerate(word)})
            if row >= box[3] or words != [item.text for item in line]:
                left_out.append(line)
        return letters, left_out

    def _taken(self, row: int, words: list[str], columns: list[int]) -> bool:
        cells = ((row, k) for word, c in zip(words, columns, strict=True) for k in range(c - 1, c + len(word) + 1))
        return any(cell in self.letters for cell in cells)

    def ornament(self, item: Text) -> None:
        """A single letter, such as that of a badge: beside a text at its place, or not at all."""
        left, top, right, bottom = item.box()
        row, column = math.floor((top + bottom) / 2 / self.cell[1]), math.floor((left + right) / 2 / self.cell[0])
        near = any((row, column + k) in self.letters for k in range(2, 7))
        free = not any((row, column + k) in self.letters for k in (-1, 0, 1)) and not self.edges[row, column]
        if near and free:
            self.letters[row, column] = item.text, item

    def _box_of(self, item: Text) -> Box:
        """The smallest box around a text."""
        _, top, _, bottom = item.box()
        x, y = item.x, (top + bottom) / 2
        around = [b for b, (x1, y1, x2, y2) in self.boxes.items() if x1 <= x <= x2 and y1 <= y <= y2]
        whole = (-1, -1, self.columns, self.rows)
        return min(around or [whole], key=lambda b: (b[2] - b[0]) * (b[3] - b[1]))

    def _columns(self, box: Box, line: list[Text], words: list[str]) -> list[int]:
        """The first column of each word of a line: near its own place, a gap between any two."""
        at: list[int] = []
        last = box[0]
        if not words:
            return at
        for i, (item, word) in enumerate(zip(line, words, strict=True)):
            left, _, right, _ = item.box()
            wish = {"start": left, "middle": (left + right) / 2, "end": right}[item.anchor] / self.cell[0]
            wish -= {"start": 0, "middle": len(word) / 2, "end": len(word)}[item.anchor]
            rest = sum(len(w) + 1 for w in words[i:]) - 1
            at.append(max(last + 1, min(round(wish), box[2] - rest)))
            last = at[-1] + len(word)
        return at


def _fit(words: list[str], columns: int) -> list[str]:
    """The words of a line, the longest cut so that all fit beside each other; none where that leaves too little."""
    words = list(words)
    while sum(len(w) + 1 for w in words) - 1 > columns:
        i = max(range(len(words)), key=lambda i: len(words[i]))
        if len(words[i]) < 5:
            return []
        words[i] = words[i][:-2].rstrip() + "…"
    return words


def ansi(scene: Scene, columns: int = 80, colour: bool = False, theme: str = "dark") -> str:
    """The scene as lines of text: boxes for its stroked rectangles of a group, and each text near its place.

    Under the picture stand the texts that did not fit and the labels of what has no text, a paragraph per group.
    `colour` adds 24-bit terminal colours.
    """
    if columns < 20:
        raise ValueError(f"draw: {columns} columns; a terminal picture needs at least 20")
    colours = palette(theme, scene.roles)
    rows = max(12, round(columns * 0.4), round(columns * scene.height / scene.width / 2))
    grid = _Grid(scene, columns, rows)
    for item in scene.items:
        if isinstance(item, Rectangle) and item.stroke and item.group:
            grid.outline(item)
    texts = [t for t in scene.texts() if t.text.strip()]
    below = grid.write([t for t in texts if not _is_badge(t)])
    for item in texts:
        if _is_badge(item):
            grid.ornament(item)
    if colour:
        bare = dataclasses.replace(scene, items=tuple(i for i in scene.items if not isinstance(i, Text)))
        ground = _shrink(rgb_array(bare, columns * 4, theme), rows, columns)
        lines = [_coloured(grid, row, ground[row], colours) for row in range(rows)]
    else:
        lines = ["".join(grid.cell_at(row, c)[0] for c in range(columns)).rstrip() for row in range(rows)]
    return "\n".join([*lines, *_legend(scene, below, columns)]) + "\n"


def _is_badge(text: Text) -> bool:
    """A single letter, or a digit on a shape: no words."""
    return len(text.text) == 1 and (text.text.isalpha() or text.anchor == "middle")


def _shrink(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Mean colour of each cell: (H, W, 3) -> (rows, columns, 3)."""
    tall = np.array_split(image, rows, axis=0)
    return np.array([[part.mean((0, 1)) for part in np.array_split(band, columns, axis=1)] for band in tall])


def _coloured(grid: _Grid, row: int, ground: np.ndarray, colours: dict[str, RGB]) -> str:
    """One line with 24-bit colours; a text takes its role's colour where that is readable, else black or white."""
    cells, last = [], ""
    for column in range(grid.columns):
        letter, item = grid.cell_at(row, column)
        r, g, b = (round(float(v)) for v in ground[column])
        front = colours[(item.fill or "text") if item else "muted"]
        if contrast(front, (r, g, b)) < 4.5:
            front = max(((0, 0, 0), (255, 255, 255)), key=lambda c: contrast(c, (r, g, b)))
        code = f"\x1b[48;2;{r};{g};{b};38;2;{front[0]};{front[1]};{front[2]}m"
        cells.append(letter if code == last else code + letter)
        last = code
    return "".join(cells) + "\x1b[0m"


def _legend(scene: Scene, lost: list[list[Text]], columns: int) -> list[str]:
    """What the picture could not hold, a paragraph per group."""
    groups: dict[str, list[str]] = {}
    for mark in scene.items:
        if mark.label and not isinstance(mark, Text):
            groups.setdefault(mark.group, []).append(mark.label)
    for line in lost:
        text = line[0].label or " ".join(item.text for item in line)
        words = groups.setdefault(line[0].group, [])
        if not any(text in label for label in words):
            words.append(text)
    lines = []
    for group, words in groups.items():
        lines += textwrap.wrap((f"{group}: " if group else "") + "; ".join(words), columns, subsequent_indent="  ")
    return lines
