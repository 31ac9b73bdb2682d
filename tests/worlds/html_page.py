"""What a reader finds on an HTML page."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Headings, ids, links, texts of tables, and what would be fetched."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        for key in ("src", "href", "xlink:href", "srcset", "data"):
            value = found.get(key)
            if value and value.startswith("#"):
                self.links.append(value[1:])
            elif value and value != "data:,":
                self.fetched.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
