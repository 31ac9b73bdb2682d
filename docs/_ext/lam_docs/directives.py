"""The tables as directives, docstrings as the kit writes them, pages without their comments."""

from __future__ import annotations

import inspect
from fnmatch import fnmatch
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from pygments.lexers import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.directives.other import TocTree
from sphinx.util.docutils import SphinxDirective

from . import tables
from .sources import as_rst, remarks, shown, signature


def inline(text: str) -> list[nodes.Node]:
    """Text whose only markup are backticks."""
    parts = [(i % 2, part) for i, part in enumerate(text.split("`")) if part]
    return [nodes.literal(part, part) if code else nodes.Text(part) for code, part in parts]


def table_node(table: tables.Table) -> nodes.table:
    """A table as docutils has it; numbers and names take no more room than they need."""
    made = nodes.table(classes=["lam"])
    if table.title:
        made += nodes.title(table.title, "", *inline(table.title))
    group = nodes.tgroup(cols=len(table.headings))
    group += [nodes.colspec(colwidth=1) for _ in table.headings]
    head, body = nodes.thead(), nodes.tbody()
    for part, rows in ((head, [table.headings]), (body, table.rows)):
        for row in rows:
            cells = [nodes.entry("", nodes.paragraph("", "", *inline(cell))) for cell in row]
            part += nodes.row("", *cells)
    made += group
    group += [head, body]
    return made


class CodeTables(SphinxDirective):
    """Tables of what its argument names. Its content is for who reads the page without the site, and is left out."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    make: tables.Made

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(tables.__file__)
        return [table_node(table) for table in type(self).make(" ".join(self.arguments))]


class CommandHelp(SphinxDirective):
    """What `--help` of a module says. Its content is left out, as that of `CodeTables`."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        command = tables.command(self.arguments[0])
        usage = nodes.literal_block(command.usage, command.usage, language="text")
        about = nodes.paragraph("", "", *inline(command.about))
        return [about, usage, *map(table_node, command.tables)]


class Doors(SphinxDirective):
    """Doors of the front page, a line each: `title | page, page | sentence`. The first page that is there is taken."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        doors = nodes.container(classes=["lam-doors"])
        for line in self.content:
            title, pages, sentence = (part.strip() for part in line.split("|"))
            page = next((p.strip() for p in pages.split(",") if p.strip() in self.env.found_docs), None)
            if page is None:
                continue
            link = pending_xref(
                "", nodes.inline(title, title), refdomain="std", reftype="doc", reftarget=f"/{page}", refexplicit=True,
                refdoc=self.env.docname, refwarn=True,
            )  # fmt: skip
            doors += nodes.container("", nodes.paragraph("", "", link), nodes.paragraph("", "", *inline(sentence)))
        return [doors]


class Pages(TocTree):
    """A toctree of which what is not there, or named above, is left out."""

    def run(self) -> list[nodes.Node]:
        kept, left = list[str](), set(self.env.found_docs)
        for line in self.content:
            if found := {page for page in left if fnmatch(page, line)}:
                kept.append(line)
                left -= found
        self.content = StringList(kept)
        return super().run()


def _docstring(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """The kit's docstrings are plain text. A class's fields follow, with what its source says beside them."""
    more: list[str] = []
    if what == "data":  # a number has its type's docstring: pages say what it is
        lines.clear()
    if inspect.isclass(thing) and thing.__module__.startswith("lam_env"):
        said = {field: text for field, (_, text) in remarks(thing).items() if text}
        more = ["", "", *(f"{field}: {text}" for field, text in said.items())] if said else []
    if what != "module":
        lines[:] = as_rst([*lines, *more])


def _signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, told: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    return (signature(told) if told else told), (signature(returns) if returns else returns)


def _source(app: Sphinx, name: str, source: list[str]) -> None:
    if app.env.doc2path(name).suffix != ".ipynb":
        source[0] = shown(source[0], name.count("/"))


def register(app: Sphinx) -> None:
    app.setup_extension("sphinx.ext.autodoc")
    for name, make in tables.DIRECTIVES.items():
        app.add_directive(name, type(name, (CodeTables,), {"make": staticmethod(make)}))
    app.add_directive("lam-command", CommandHelp)
    app.add_directive("lam-doors", Doors)
    app.add_directive("lam-pages", Pages)
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-process-signature", _signature)
    app.connect("source-read", _source)
    app.add_lexer("csv", TextLexer)
