// Lines to choose from, as one list for the keyboard: arrow keys, Page Up and Down, Home, End.
const SECONDS_BEFORE_SENT = 0.3; // after the last key: whoever runs through is not stopped
const PAGE = 10;
const STEPS = {
  ArrowDown: (at) => at + 1, ArrowUp: (at) => at - 1, PageDown: (at) => at + PAGE,
  PageUp: (at) => at - PAGE, Home: () => 0, End: (_, last) => last,
};

function drawLine(parent, [first, second, number, share], place) {
  const line = made(parent, "div", "line");
  line.id = `line-${place}`;
  line.setAttribute("role", "option");
  const words = made(line, "span", "words");
  made(words, "span", "", first);
  made(words, "span", "arrow", " → ");
  made(words, "span", "", second);
  made(line, "span", "value", number);
  const bar = made(line, "span", "bar");
  bar.style.width = `${(100 * share).toFixed(1)}%`;
  return line;
}

function mark(root, place) {
  const { list, lines } = root;
  if (lines[root.at]) lines[root.at].setAttribute("aria-selected", "false");
  root.at = place;
  const line = lines[place];
  if (!line) return list.removeAttribute("aria-activedescendant");
  line.setAttribute("aria-selected", "true");
  list.setAttribute("aria-activedescendant", line.id);
  const below = line.offsetTop + line.offsetHeight - list.offsetTop - list.clientHeight;
  const above = line.offsetTop - list.offsetTop;
  if (below > list.scrollTop) list.scrollTop = below;
  if (above < list.scrollTop) list.scrollTop = above;
}

function draw(root, data) {
  root.replaceChildren();
  const head = made(root, "div", "head");
  made(head, "span", "", `${data.heads[0]} → ${data.heads[1]}`);
  made(head, "span", "value", data.heads[2]);
  const list = made(root, "div", "list");
  root.list = list;
  list.style.maxHeight = `${data.height}px`;
  list.tabIndex = 0;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", data.label);
  root.lines = data.lines.map((line, place) => drawLine(list, line, place));
  list.onclick = (event) => {
    const place = root.lines.indexOf(event.target.closest(".line"));
    if (place >= 0) { mark(root, place); root.choose(place); }
  };
  list.onkeydown = (event) => {
    const last = root.lines.length - 1;
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    mark(root, Math.min(Math.max(step(root.at, last), 0), last));
    clearTimeout(root.timer);
    root.timer = setTimeout(() => { root.timer = 0; root.choose(root.at); },
      1000 * SECONDS_BEFORE_SENT);
  };
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".choices") || made(parentElement, "div", "choices");
  const text = JSON.stringify([data.heads, data.lines, data.height, data.label]);
  if (root.text !== text) { // else what is scrolled and focused stays as it is
    root.text = text;
    root.at = -1;
    draw(root, data);
  }
  root.choose = (place) => setTriggerValue("chosen", place);
  if (!root.timer && root.at !== data.chosen) mark(root, data.chosen); // not while keys are pressed
}
