"""The HTML report in a real browser: no complaint, no request, the keyboard, light and dark."""

from __future__ import annotations

import pytest

from tests.report.browser import found, running
from tests.report.pages import BODIES, hostile, page, scoped

BROWSER = found()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on this machine")
FOCUS = "document.activeElement.getAttribute('aria-label') || document.activeElement.id"
BOXES = "document.querySelectorAll('.box').length"


@pytest.fixture(scope="module")
def tab():
    with running(BROWSER) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    import onnx

    folder = tmp_path_factory.mktemp("pages")
    return {
        "bodies": page(onnx.parser.parse_model(BODIES), folder / "bodies.html", {"hard": True}, verify=True),
        "hostile": page(hostile(), folder / "hostile.html", {"k": 2.0}),
        "scoped": page(scoped(), folder / "scoped.html", {"k": 2.0}),
    }


def opened(tab, path, scheme="light"):
    tab.requests.clear()
    tab.complaints.clear()
    tab.look(scheme)
    tab.open(path)
    return tab


def tabbed_to(tab, what: str) -> str:
    """Press Tab until something is focused whose label holds these words."""
    for _ in range(30):
        tab.press("Tab")
        if what in (label := tab.evaluate(FOCUS)):
            return label
    raise AssertionError(f"Tab never reaches {what}")


@pytest.mark.parametrize("name", ["bodies", "hostile", "scoped"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_complaint_or_request(tab, pages, name, scheme):
    opened(tab, pages[name], scheme)
    assert tab.evaluate(BOXES) > 3
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.complaints == [] and tab.requests == []
    assert len(set(tab.picture())) > 200, "something was drawn"


def test_names_do_nothing(tab, pages):
    opened(tab, pages["hostile"])
    for graph in ("original", "residual"):
        tab.evaluate(f"document.getElementById('tab-{graph}').click()")
        tab.evaluate("document.querySelectorAll('.box').forEach((box) => box.focus())")
    assert tab.evaluate("typeof window.attacked") == "undefined"
    assert tab.evaluate("document.images.length") == 0 and tab.evaluate("document.scripts.length") == 2
    assert tab.complaints == [] and tab.requests == []


def test_the_policy_stops_what_does_not_belong(tab, pages):
    opened(tab, pages["bodies"])
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x.png onerror=\"window.attacked=1\">')")
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.attacked=1'}))")
    assert tab.evaluate("new Promise((done) => setTimeout(() => done(typeof window.attacked), 200))") == "undefined"


def test_a_group_opens_and_closes_with_the_keyboard(tab, pages):
    opened(tab, pages["scoped"])
    tab.evaluate("document.getElementById('tab-original').focus()")
    tabbed_to(tab, "input")
    whole, label = tab.evaluate(BOXES), ""
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft"):
        tab.press(key)
        label = tab.evaluate(FOCUS)
        if label.startswith("group encoder"):
            break
    assert label.startswith("group encoder")
    tab.press("Enter")
    assert tab.evaluate(BOXES) > whole and "encoder" in tab.evaluate("document.getElementById('crumbs').textContent")
    tab.press("Backspace")
    assert tab.evaluate(BOXES) == whole and tab.evaluate(FOCUS) == label


def test_arrows_tabs_and_zoom_keys(tab, pages):
    opened(tab, pages["bodies"])
    tab.evaluate("document.getElementById('tab-residual').focus()")
    tab.press("ArrowRight")
    assert tab.evaluate(FOCUS) == "tab-original"
    assert tab.evaluate("document.querySelector('[role=tab][aria-selected=true]').id") == "tab-original"
    first = tabbed_to(tab, "input")
    tab.press("ArrowDown")
    assert tab.evaluate(FOCUS) != first
    place = "document.querySelector('#canvas svg > g').getAttribute('transform')"
    before = tab.evaluate(place)
    tab.press("+")
    assert tab.evaluate(place) != before
    tab.press("0")
    assert tab.evaluate("getComputedStyle(document.activeElement.querySelector('.body')).strokeWidth") == "4px"


def test_find_shows_a_node_wherever_it_is(tab, pages):
    opened(tab, pages["scoped"])
    tab.evaluate("document.getElementById('find').focus()")
    tab.press(*"layer.31/attention/mul_7", "Enter")
    assert "/encoder/layer.31/attention/Mul_7" in tab.evaluate("document.getElementById('detail').textContent")
    hits = "document.getElementById('hits').textContent"
    assert tab.evaluate(hits) == "1 of 1"
    tab.press("x", "Enter")
    assert tab.evaluate(hits) == "not found"


@pytest.mark.parametrize("name", ["bodies", "hostile", "scoped"])
@pytest.mark.parametrize("width", [400, 760, 1400])
def test_every_width_shows_all_of_it(tab, pages, name, width):
    opened(tab, pages[name])
    tab.look("light", width, 900)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    narrow = "[...document.querySelectorAll('tbody th')].map((cell) => cell.clientWidth)"
    assert min(tab.evaluate(narrow)) >= 70, "a name has room"
    over = "[...document.querySelectorAll('td, th')].filter((cell) => cell.scrollWidth > cell.clientWidth + 1)"
    assert tab.evaluate(f"{over}.map((cell) => cell.textContent)") == [], "nothing runs into its neighbour"
    place = "document.querySelector('{}').getBoundingClientRect().{}"
    below = tab.evaluate(f"{place.format('.copy button', 'top')} - {place.format('#command', 'bottom')}")
    assert (below >= 0) == (width < 832), "the button hides no command on a phone"


def test_an_input_says_what_it_was_frozen_to(tab, pages):
    opened(tab, pages["scoped"])
    tab.evaluate("document.getElementById('tab-original').click()")
    tab.evaluate("document.querySelector('.box.end[aria-label=\"input k, frozen\"]').focus()")
    assert "float32 [], frozen to 2.0" in tab.evaluate("document.getElementById('detail').textContent")


def test_a_drawing_that_goes_on_is_shaded_there(tab, pages):
    opened(tab, pages["bodies"])
    tab.evaluate("document.getElementById('canvas').focus()")
    shades = "document.getElementById('canvas').className"
    assert "more-" not in tab.evaluate(shades)
    tab.evaluate("for (let i = 0; i < 8; i++) document.getElementById('in').click()")
    assert "more-top" in tab.evaluate(shades) and "more-bottom" in tab.evaluate(shades)
    tab.evaluate("document.getElementById('fit').click()")
    assert "more-" not in tab.evaluate(shades)


def test_the_mouse_moves_the_drawing_and_opens_groups(tab, pages):
    opened(tab, pages["scoped"])
    tab.evaluate("document.getElementById('graph').scrollIntoView()")
    middle = "(() => {const r = document.querySelector('.box.group').getBoundingClientRect();"
    middle += " return [r.x + r.width / 2, r.y + r.height / 2]})()"
    x, y = tab.evaluate(middle)
    for kind, dx in (("mousePressed", 0), ("mouseMoved", 20), ("mouseMoved", 40), ("mouseReleased", 40)):
        tab.mouse(kind, x + dx, y)
    assert tab.evaluate(middle) == pytest.approx([x + 40, y], abs=1), "dragged, and nothing else"
    for clicks in (1, 2):
        tab.mouse("mousePressed", x + 40, y, clicks)
        tab.mouse("mouseReleased", x + 40, y, clicks)
    assert "›" in tab.evaluate("document.getElementById('crumbs').textContent"), "opened"


@pytest.mark.parametrize(("id", "first"), [("command", "freezer freeze"), ("recipe", "source = ")])
def test_the_command_line_and_the_recipe_can_be_copied(tab, pages, id, first):
    opened(tab, pages["bodies"])
    tab.evaluate(f"document.querySelector('#{id} ~ button').click()")
    read = f"document.querySelector('#{id} ~ span').textContent"
    said = tab.evaluate(f"new Promise((done) => setTimeout(() => done({read}), 200))")
    assert said.startswith(("copied", "selected"))
    if said.startswith("selected"):
        assert tab.evaluate("getSelection().toString()").startswith(first)


def test_light_and_dark_can_be_switched(tab, pages):
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    opened(tab, pages["bodies"], "light")
    light = tab.evaluate(colour)
    tab.evaluate("document.getElementById('theme').click()")
    dark = tab.evaluate(colour)
    opened(tab, pages["bodies"], "dark")
    assert light != dark == tab.evaluate(colour)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(tab, pages, scheme):
    opened(tab, pages["bodies"], scheme)
    ratios = tab.evaluate(CONTRAST)
    assert min(ratios) >= 4.5, ratios


# WCAG contrast of every colour that text has here, to the two grounds.
CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("i"));
  const luminance = (name) => {
    probe.style.color = `var(--${name})`;
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255);
    const [r, g, b] = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const grounds = ["paper", "panel"].map(luminance);
  return ["ink", "soft", "accent"].flatMap((text) => grounds.map((ground) => ratio(luminance(text), ground)));
})()"""
