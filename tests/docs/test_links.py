"""Links lead somewhere, every page can be reached, decisions are whole, and files that are named are there."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import NAMES, PAGES, ROOT, text_of


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text("utf-8"))
        linked = {(page.parent / target).resolve() for target in targets if not target.startswith("https://")}
        waiting += [one for one in linked - reached if one not in waiting]
    assert set(PAGES) <= reached


def test_decisions_are_numbered_and_whole() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    index = text_of("docs/decisions/README.md")
    for file in files:
        text = file.read_text("utf-8")
        assert text.startswith(f"# {file.name[:4]}: ")
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Why", "What it costs"]
        assert f"]({file.name})" in index


def test_the_files_that_the_words_name_are_there() -> None:
    for name in ("docs/architecture.md", "CONTRIBUTING.md", *(str(file.relative_to(ROOT)) for file in ROOT.glob("docs/decisions/0*.md"))):
        for path in re.findall(r"`([\w/]+/(?:\w+\.py|)|\w+\.py)`", text_of(name)):
            places = [ROOT / "src" / "grantway" / path, ROOT / path, *(ROOT / "src" / "grantway").glob(f"*/{path}")]
            assert any(place.exists() for place in places), (name, path)
