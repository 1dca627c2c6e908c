"""What the site adds to the committed texts: cards, a chart, folded code, names of pictures, live figures."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import escape
from math import log10
from pathlib import Path

import tables
from sphinx.errors import ExtensionError

from common.environment import environment

ROOT = Path(__file__).parents[1]
REPOSITORY = os.environ.get("GITHUB_REPOSITORY") and f"https://github.com/{os.environ['GITHUB_REPOSITORY']}"
STUDIES = sorted(path.parent.name for path in ROOT.glob("*/experiments.py"))
LIVE = ROOT / "build" / "standalone"  # figures that need no kernel, STUDY.html
FASTEST = 200  # times as long as ours, at the right end of the chart
SLOWEST = 0.2
NO_PEER = "our classifier", "explorer of"  # tasks in which parts of the library are compared with each other


def complete(app, docname, source):
    """Add to a text what only the site shows; a handler of Sphinx's ``source-read``."""
    folder, _, name = docname.rpartition("/")
    path = Path(app.env.doc2path(docname))
    if docname == "docs/index":
        app.env.note_dependency(str(ROOT / "README.md"))
        opening, questions, commands = front_page()
        more = (f"../{study}/README" for study in STUDIES)
        places = {
            "opening": opening,
            "cards": cards(questions),
            "commands": commands,
            "studies": "\n".join(page for page in more if page not in source[0]),
            "project": "\n".join(f"../{path.stem}" for path in sorted(ROOT.glob("C*.md"))),
        }
        source[0] = re.sub(r"<!-- (\w+) -->", lambda found: places[found[1]], source[0])
    elif docname == "docs/benchmarks":
        app.env.note_dependency(str(tables.EVIDENCE / "benchmarks.txt"))
        source[0] = source[0].replace("<!-- chart -->", chart(tables.benchmarks()))
    elif folder == "docs/api":
        source[0] = re.sub(r"<!-- modules: (.*?) -->", lambda found: reference(found[1]), source[0])
    elif folder in STUDIES and name == "README":
        source[0] = study_page(source[0], folder)
    elif folder in STUDIES:
        source[0] = notebook_page(source[0], folder)
    if path.suffix == ".md":
        source[0] = with_links_to_source(source[0], path.parent)


def cards(text: str) -> str:
    """Return a grid of cards, one for each question of the front page.

    Parameters
    ----------
    text : str
        Markdown: each question a heading of the third level, then its answer, a picture and a link.
    """
    grid = ["::::{grid} 1 1 2 2", ":gutter: 3", ""]
    for block in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        question, _, answer = block.partition("\n")
        for study in STUDIES:
            if (LIVE / f"{study}.html").exists():
                last = re.compile(rf"^(\[.*?\]\({study}/.*?\))\s*$", re.MULTILINE)
                answer = last.sub(rf"\1, or [try it]({study}/README.md#try-it)", answer)
        grid += [f":::{{grid-item-card}} {question.strip()}", ":class-title: question", ""]
        grid += [re.sub(r"\]\((?!https?:)", "](../", answer.strip()), ":::", ""]
    return "\n".join([*grid, "::::"])


def chart(tasks) -> str:
    """Return bars of how many times as long as ours each other implementation takes, as HTML.

    The bars start at 1 on a logarithmic scale: to the right we are faster, to the left the other is.
    """
    one, whole = -log10(SLOWEST), log10(FASTEST) - log10(SLOWEST)
    lines = ['<div class="bars">']
    for task, found in tasks:
        if task.startswith(NO_PEER) or not found:
            continue
        lines.append(f'<p class="bars-task">{escape(task)}</p>')
        for name, ratio in [(name, ratio) for name, _, ratio, _ in found if name != "ours"]:
            end = min(max(log10(ratio) + one, 0), whole)
            left, width = 100 * min(one, end) / whole, 100 * abs(end - one) / whole
            kind = "faster" if ratio >= 1 else "slower"
            lines.append(
                f'<div class="bars-row"><span class="bars-name">{escape(name)}</span>'
                f'<span class="bars-track" style="--one: {100 * one / whole:.2f}%">'
                f'<span class="bars-bar {kind}" style="left: {left:.2f}%; width: {width:.2f}%"></span></span>'
                f'<span class="bars-ratio">{ratio:.3g}</span></div>'
            )
    return "\n".join([*lines, "</div>"])


def reference(names: str) -> str:
    """Return the sections of the modules of `common` with these names, as far as they exist.

    ``"rest"`` stands for all that no other page names.
    """
    chosen = names.split()
    if chosen == ["rest"]:
        pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/api").glob("*.md"))
        named = " ".join(re.findall(r"modules: (.*) -->", pages)).split()
        chosen = [name for name in modules() if name not in named]
    found = [module for name in chosen for module in modules().get(name, [])]
    return "\n\n".join(f"## `{m}`\n\n```{{eval-rst}}\n.. automodule:: {m}\n{option(m)}```" for m in found)


def option(module: str) -> str:
    """Return the directive's option that leaves out what a module without definitions imports from others."""
    path = (ROOT / module.replace(".", "/")).with_suffix(".py")
    defines = not path.exists() or re.search(r"^(def|class) ", path.read_text(encoding="utf-8"), re.MULTILINE)
    return "" if defines else "   :no-members:\n"


def modules() -> dict[str, list[str]]:
    """Return the modules to document for each module and package directly below `common`.

    A package that lists in ``__all__`` what it imports from a module of its own stands for that module.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "common").glob("[!_]*")):
        init = path / "__init__.py"
        if init.exists():
            text = init.read_text(encoding="utf-8")
            imported = re.findall(r"^from (\S+) import", text, re.MULTILINE) if "__all__" in text else []
            inside = [f"common.{path.name}.{module.stem}" for module in sorted(path.glob("[!_]*.py"))]
            found[path.name] = [f"common.{path.name}", *(name for name in inside if name not in imported)]
        elif path.suffix == ".py":
            found[path.stem] = [f"common.{path.stem}"]
    return found


def study_page(text: str, study: str) -> str:
    """Return a study's README with its notebooks in the navigation and, where it has one, its live figure."""
    live = ""
    if (LIVE / f"{study}.html").exists():
        live = (
            '## Try it\n\n<iframe class="live" src="explore.html" title="Live figure"></iframe>\n\n'
            '<a href="explore.html">The figure on a page of its own</a>\n\n'
        )
    notebooks = "\n".join(path.stem for path in sorted((ROOT / study).glob("[0-9][0-9]_*.ipynb")))
    table = text.find("| notebook | question |")
    text = text if table < 0 else f"{text[:table]}{live}## Notebooks\n\n{text[table:]}"
    return f"{text}\n\n```{{toctree}}\n:hidden:\n\n{notebooks}\n```\n"


def notebook_page(text: str, study: str) -> str:
    """Return a notebook, as JSON, with its code folded and a text for each picture.

    A picture is called what the study's README calls it, else by the heading that it stands under.
    """
    notebook = json.loads(text)
    readme = (ROOT / study / "README.md").read_text(encoding="utf-8")
    named = {name: said for said, name in re.findall(r"!\[(.*?)\]\(figures/(\w+)\.png\)", readme)}
    heading = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                heading = line.lstrip("# ").strip() if line.startswith("#") else heading
            continue
        tags = cell["metadata"].setdefault("tags", [])
        figure = next((tag.removeprefix("figure-") for tag in tags if tag.startswith("figure-")), "")
        tags.append("hide-input")
        said = named.get(figure, f"Figure: {heading}")
        cell["metadata"].setdefault("mystnb", {}).setdefault("image", {}).setdefault("alt", said)
    return json.dumps(notebook)


def with_links_to_source(text: str, folder: Path) -> str:
    """Return a Markdown text whose links to what is not on the site lead to the repository.

    Where its address is unknown, only the text of the link stays.
    """

    def elsewhere(found):
        target = (folder / found[2]).resolve()
        if not (target.is_dir() or target.name == "explore.ipynb"):
            return found[0]
        path = f"{REPOSITORY}/tree/HEAD/{target.relative_to(ROOT)}"
        return f"[{found[1]}]({path})" if REPOSITORY else found[1]

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^):#]+)\)", elsewhere, text)


def write_live_figures(app):
    """Run ``STUDY.standalone`` where its page is missing or older than what it is made of."""
    for module in ROOT.glob("*/standalone.py") if app.config.write_live_figures else ():
        study = module.parent
        page = LIVE / f"{study.name}.html"
        names = "standalone.*", "network_page.*", "weights/*", "examples/*"
        own = (part for name in names for part in study.glob(name))
        parts = [*own, *(ROOT / "common").glob("live_page.*")]
        newest = max(part.stat().st_mtime for part in parts)
        if study.name in STUDIES and not (page.exists() and page.stat().st_mtime >= newest):
            command = [sys.executable, "-m", f"{study.name}.standalone"]
            run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
            if run.returncode:
                raise ExtensionError(f"The live figure of {study.name} cannot be written:\n{run.stderr}")


def finish(app, exception):
    """Copy the live figures and make the root of the site lead to its first page."""
    if exception:
        return
    out = Path(app.outdir)
    for study in STUDIES:
        if (LIVE / f"{study}.html").exists():
            shutil.copy(LIVE / f"{study}.html", out / study / "explore.html")
    first = '<meta http-equiv="refresh" content="0; url=docs/index.html">'
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{app.config.project}</title>{first}'
    (out / "index.html").write_text(f'{page}<a href="docs/index.html">{app.config.project}</a></html>\n')


def front_page() -> tuple[str, str, str]:
    """Return what the README says before its questions, without the title; its questions; its commands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.search(r"^## Two commands\n.*?(?=^## )", readme, re.DOTALL | re.MULTILINE)
    marked = re.match(r"# .*?\n(.*?)<!-- questions -->(.*?)<!-- end questions -->", readme, re.DOTALL)
    if marked:
        return marked[1].strip(), marked[2], commands[0] if commands else ""
    questions = re.sub(r"^\*\*(.*?)\*\*", r"### \1\n\n", readme.split("\n## ")[0], flags=re.MULTILINE)
    return "", questions, commands[0] if commands else ""
