// A list of layers that open in place. Draws what the server says of them and sends what a person
// does; knows nothing of networks. Elements are kept from one answer to the next, so the keyboard's
// focus stays where it is, and what somebody types meanwhile too.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function icon(parent, name) {
  const element = made(parent, "span", "icon", name);
  element.setAttribute("aria-hidden", "true");
  return element;
}

function button(parent, name, label, act) {
  const element = made(parent, "button", "tool");
  icon(element, name);
  made(element, "span", "name", label);
  element.onclick = act;
  return element;
}

function options(select, choices, first) {
  if (first !== undefined) made(select, "option", "", first).value = "";
  choices.forEach(([, words], i) => { made(select, "option", "", words).value = String(i); });
}

function adder(parent, root, words, after) {
  const select = made(parent, "select", "add");
  select.setAttribute("aria-label", words);
  options(select, root.data.kinds.map((kind) => [kind.key, kind.title]), words);
  select.onchange = () => {
    if (select.value !== "") root.send("add", root.data.kinds[Number(select.value)].key, after);
    select.value = "";
  };
}

// Each control is {read the server's value into it}; what is on its way to the server comes first.
function switchOf(box, field, set) {
  const input = made(box, "input", "");
  input.type = "checkbox";
  input.onchange = () => set(input.checked);
  return { input, show: (value) => { input.checked = value; } };
}

function choiceOf(box, field, set) {
  const input = made(box, "select", "");
  options(input, field.choices);
  input.onchange = () => set(field.choices[Number(input.value)][0]);
  return { input, show: (value) => {
    input.value = String(field.choices.findIndex(([choice]) => choice === value));
  } };
}

// "1,024" is a thousand and more, "0,25" is a quarter.
function plainNumber(text) {
  return /^[1-9]\d{0,2}(,\d{3})+$/.test(text) ? text.replaceAll(",", "") : text.replace(",", ".");
}

function numberOf(box, field, set) {
  const line = made(box, "span", "number");
  const input = made(line, "input", "");
  let typing = false;
  let known = null;
  input.inputMode = "decimal";
  input.autocomplete = "off";
  input.placeholder = field.empty ? "as the window" : "";
  input.setAttribute("role", "spinbutton");
  input.setAttribute("aria-valuemin", field.low);
  input.setAttribute("aria-valuemax", field.high);
  function show(value) {
    known = value;
    if (typing) return;
    input.value = value === null ? "" : String(value);
    if (value === null) input.removeAttribute("aria-valuenow");
    else input.setAttribute("aria-valuenow", value);
  }
  function give(value) {
    typing = false;
    const changed = value !== known;
    show(value);
    if (changed) set(value);
  }
  function read() {
    const text = plainNumber(input.value.trim());
    const value = text === "" ? null : Number(text);
    typing = false;
    if (Number.isNaN(value) || (value === null && !field.empty)) show(known);
    else give(value);
  }
  function step(by) {
    if (typing) read();
    const next = known === null ? field.low : known + by * field.step;
    give(Math.min(Math.max(Number(next.toPrecision(10)), field.low), field.high));
  }
  input.oninput = () => { typing = true; };
  input.onchange = read;
  input.onkeydown = (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
    if (event.key === "Enter") read();
  };
  [["remove", "less", -1], ["add", "more", 1]].forEach(([name, word, by]) => {
    const stepper = made(line, "button", "step");
    stepper.tabIndex = -1; // the arrow keys do the same
    stepper.setAttribute("aria-label", `${field.title}: ${word}`);
    icon(stepper, name);
    stepper.onclick = () => step(by);
  });
  return { input, show };
}

const CONTROLS = { whole: numberOf, number: numberOf, choice: choiceOf, switch: switchOf };

function drawField(parent, root, item, field, hint) {
  const box = made(parent, "label", `field ${field.kind}`);
  made(box, "span", "title", field.title);
  const control = CONTROLS[field.kind](
    box, field, (value) => root.send("set", item.number, field.name, value));
  control.input.setAttribute("aria-label", field.title); // without the words of its buttons
  control.input.title = field.help;
  control.input.onfocus = () => say(hint, field.help ? `${field.title}: ${field.help}` : "");
  item.controls[field.name] = control;
}

function drawForm(root, item) {
  const kind = root.data.kinds.find((one) => one.key === item.kind);
  const form = made(item.element, "div", "form");
  made(form, "p", "quiet", kind.help);
  const usual = made(form, "div", "fields");
  const tools = made(form, "div", "tools");
  const send = (what) => () => root.send(what, item.number);
  item.up = button(tools, "arrow_upward", "Up", send("up"));
  item.down = button(tools, "arrow_downward", "Down", send("down"));
  button(tools, "content_copy", "Copy", send("copy"));
  item.remove = button(tools, "delete", "Remove", send("remove"));
  adder(tools, root, "Add below", item.number);
  let seldom = null;
  if (kind.fields.some((field) => field.seldom)) {
    const more = made(form, "details", "more");
    made(more, "summary", "", "More settings");
    seldom = made(more, "div", "fields");
  }
  const hint = made(form, "p", "quiet hint", "");
  hint.setAttribute("aria-live", "polite");
  for (const field of kind.fields) {
    drawField(field.seldom ? seldom : usual, root, item, field, hint);
  }
  item.cost = made(form, "p", "quiet", "");
  item.form = form;
}

function sayForm(root, item, row, place) {
  for (const [name, control] of Object.entries(item.controls)) {
    const waiting = root.waiting.findLast(
      ([, what, number, field]) => what === "set" && number === item.number && field === name);
    control.show(waiting ? waiting[4] : row.values[name]);
  }
  const last = root.data.rows.filter((one) => one.number !== undefined).length - 1;
  item.up.disabled = place === 0;
  item.down.disabled = place === last;
  item.remove.disabled = last === 0;
  say(item.cost, row.cost ? `${row.cost} The whole network: ${root.data.totals}.`
    : "Its cost is known when it fits.");
}

function drawItem(root, row) {
  const element = document.createElement("li");
  const fixed = row.number === undefined;
  const line = made(element, fixed ? "div" : "button", "line");
  const item = {
    element, line, number: row.number, kind: row.kind, controls: {}, open: false,
    icon: icon(line, row.icon), words: made(line, "span", "words"), size: made(line, "span", "size"),
    parameters: made(line, "span", "parameters"),
  };
  if (!fixed) {
    icon(line, "expand_more").classList.add("fold");
    line.onclick = () => { item.open = !item.open; sayItems(root); };
  }
  return item;
}

function sayItem(root, item, row, place) {
  item.element.className = row.problem ? "broken" : row.size ? "" : "unknown";
  say(item.icon, row.problem ? "error" : row.icon);
  say(item.words, row.problem ? `${row.words} ${row.problem}` : row.words);
  say(item.size, row.size ? `→ ${row.size}` : "");
  say(item.parameters, row.parameters || "");
  if (row.number === undefined) return;
  item.line.setAttribute("aria-expanded", String(item.open));
  if (item.open && !item.form) drawForm(root, item);
  if (item.form) {
    item.form.hidden = !item.open;
    sayForm(root, item, row, place);
  }
}

function nameOf(row, place, rows) {
  return row.number === undefined ? `fixed ${place === 0 ? 0 : place - rows.length}` : row.number;
}

function sayItems(root) {
  const { rows, newest } = root.data;
  const focused = root.getRootNode().activeElement;
  const before = root.items;
  root.items = new Map(rows.map((row, place) => {
    const name = nameOf(row, place, rows);
    return [name, before.get(name) || drawItem(root, row)];
  }));
  if (root.newest !== newest && root.items.has(newest)) root.items.get(newest).open = true;
  root.newest = newest;
  const wanted = [...root.items.values()];
  const gap = wanted.length - 2; // new layers come before the head
  const elements = [...wanted.slice(0, gap).map((item) => item.element), root.end,
    ...wanted.slice(gap).map((item) => item.element)];
  const gone = [...root.list.children].findIndex((child) => child.contains(focused));
  elements.forEach((element, i) => {
    if (root.list.children[i] !== element) root.list.insertBefore(element, root.list.children[i]);
  });
  while (root.list.children.length > elements.length) root.list.lastChild.remove();
  wanted.forEach((item, i) => sayItem(root, item, rows[i], i - 1));
  keepFocus(root, focused, gone);
}

function keepFocus(root, focused, place) {
  if (!focused || root.getRootNode().activeElement === focused) return;
  const left = root.list.children[Math.min(place, root.list.children.length - 1)];
  const target = focused.isConnected ? focused : left && left.querySelector("button.line");
  if (target) target.focus({ preventScroll: true });
}

function begin(parent) {
  const root = made(parent, "div", "layers");
  root.figures = made(root, "div", "figures");
  made(root, "p", "quiet", "Layer → height × width × channels of what comes out, and parameters");
  root.list = made(root, "ol", "");
  root.items = new Map();
  root.waiting = [];
  return root;
}

function sayFigures(root) {
  const { figures } = root.data;
  if (root.figures.children.length !== figures.length) {
    root.figures.replaceChildren();
    for (const [label] of figures) {
      const box = made(root.figures, "div", "figure");
      const head = made(box, "div", "title", label);
      const mark = made(head, "span", "help", "?");
      mark.tabIndex = 0;
      mark.setAttribute("role", "note");
      made(mark, "span", "bubble", "");
      made(box, "div", "value", "");
      made(box, "div", "change", "");
    }
  }
  figures.forEach(([, value, change, help], i) => {
    const box = root.figures.children[i];
    say(box.querySelector(".value"), value);
    say(box.querySelector(".change"), change);
    say(box.querySelector(".bubble"), help);
    box.querySelector(".help").setAttribute("aria-label", help);
  });
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".layers") || begin(parentElement);
  if (root.session !== data.session) { // a new visit: what was sent before means nothing to it
    root.waiting = [];
    root.sent = data.taken;
    root.session = data.session;
  }
  root.data = data;
  root.waiting = root.waiting.filter(([order]) => order > data.taken);
  root.send = (...edit) => {
    root.sent += 1;
    root.waiting = [...root.waiting, [root.sent, ...edit]];
    setStateValue("edits", { session: root.session, list: root.waiting });
  };
  if (!root.end) {
    root.end = document.createElement("li");
    root.end.className = "end";
    adder(root.end, root, "Add a layer at the end", null);
  }
  sayFigures(root);
  sayItems(root);
}
