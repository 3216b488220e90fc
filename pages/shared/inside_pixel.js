// Works out a convolution below the cursor. All numbers of the maps come from the server; only the
// products of the one channel on show are made here, so that moving the cursor costs no round trip.
const NAMES = { patch: "values", kernel: "weights", products: "products" };
const SECONDS_BEFORE_KEPT = 0.4; // after the last arrow key

function unpacked(text) {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

function words(value) {
  const size = Math.abs(value);
  const text = size !== 0 && size < 1e-4 ? value.toExponential(1)
    : size >= 10000 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text.replace("-", "−");
}

function drawMap(parent, title, className) {
  const box = made(parent, "div", "");
  const head = made(box, "p", "title", title);
  const map = made(box, "div", `map ${className}`);
  const picture = made(map, "img", "");
  picture.draggable = false;
  picture.alt = "";
  return { head, map, picture, frame: made(map, "div", "frame") };
}

function draw(root) {
  root.replaceChildren();
  const board = made(root, "div", "board");
  const input = drawMap(board, "", "");
  const sums = made(board, "div", "sums");
  const output = drawMap(board, "", "choice");
  output.map.tabIndex = 0;
  output.map.setAttribute("role", "group");
  return { input, sums, output };
}

function place(frame, corner, size, whole) {
  frame.style.top = `${(100 * corner[0]) / whole[0]}%`;
  frame.style.left = `${(100 * corner[1]) / whole[1]}%`;
  frame.style.height = `${(100 * size[0]) / whole[0]}%`;
  frame.style.width = `${(100 * size[1]) / whole[1]}%`;
}

function background(value, most) {
  const color = value > 0 ? "47, 111, 237" : "232, 89, 12";
  return `rgba(${color}, ${most ? (0.55 * Math.abs(value)) / most : 0})`;
}

function drawTable(parent, name, rows, outside) {
  const box = made(parent, "div", "");
  made(box, "p", "caption", NAMES[name]);
  const table = made(box, "div", "table");
  table.setAttribute("role", "img");
  table.setAttribute("aria-label",
    `${NAMES[name]}: ${rows.map((row) => row.map(words).join(", ")).join("; ")}`);
  table.style.gridTemplateColumns = `repeat(${rows[0].length}, auto)`;
  const most = Math.max(...rows.flat().map(Math.abs));
  rows.forEach((row, y) => row.forEach((value, x) => {
    const off = outside && outside[y][x];
    const cell = made(table, "div", off ? "cell outside" : "cell", words(value));
    cell.style.background = background(value, most);
    if (off) cell.title = "padding";
  }));
}

function term(parent, sign, value, what, last) {
  if (sign) made(parent, "span", "", ` ${sign} `);
  const box = made(parent, "span", last ? "term last" : "term", words(value));
  if (what) made(box, "small", "", ` ${what}`);
}

function show(root, at) {
  const { parts, data } = root;
  const [height, width] = data.input.size;
  const columns = data.output.size[1];
  const index = at[0] * columns + at[1];
  const corner = [0, 1].map((axis) => data.corner[axis] + at[axis] * data.stride[axis]);
  const kernel = data.kernel;
  const span = [kernel.length, kernel[0].length].map(
    (size, axis) => (size - 1) * data.dilation[axis] + 1);
  place(parts.input.frame, corner, span, data.input.size);
  place(parts.output.frame, at, [1, 1], data.output.size);
  const outside = kernel.map((row, y) => row.map((_, x) => {
    const [r, c] = [corner[0] + y * data.dilation[0], corner[1] + x * data.dilation[1]];
    return r < 0 || c < 0 || r >= height || c >= width;
  }));
  const patch = kernel.map((row, y) => row.map((_, x) => (outside[y][x] ? 0
    : data.input.map[(corner[0] + y * data.dilation[0]) * width + corner[1]
      + x * data.dilation[1]])));
  const products = kernel.map((row, y) => row.map((weight, x) => weight * patch[y][x]));
  parts.input.head.textContent = `Input, ${height} × ${width}`;
  parts.output.head.textContent = `Output: row ${at[0]}, column ${at[1]}`;
  parts.sums.replaceChildren();
  const tables = made(parts.sums, "div", "tables");
  drawTable(tables, "patch", patch, outside);
  made(tables, "span", "sign", "×");
  drawTable(tables, "kernel", kernel);
  made(tables, "span", "sign", "=");
  drawTable(tables, "products", products);
  drawTerms(parts.sums, data, index);
}

function drawTerms(parent, data, index) {
  const line = made(parent, "p", "terms");
  const share = data.shareMap[index];
  const before = data.beforeMap[index];
  term(line, "", share, "sum of these products");
  if (data.others) {
    term(line, "+", before - data.bias - share,
      data.others === 1 ? "the other channel" : `the other ${data.others} channels`);
  }
  term(line, "+", data.bias, "bias");
  term(line, "=", before, "", !data.steps.length);
  data.steps.forEach((step, i) => {
    term(line, "→", step.map[index], step.name, i === data.steps.length - 1);
  });
}

function placeOf(root, event) {
  const box = root.parts.output.map.getBoundingClientRect();
  const [rows, columns] = root.data.output.size;
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
  return [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
}

function listen(root) {
  const { map } = root.parts.output;
  map.addEventListener("pointermove", (event) => show(root, placeOf(root, event)));
  map.addEventListener("pointerleave", () => show(root, root.kept));
  map.addEventListener("click", (event) => {
    root.kept = placeOf(root, event);
    root.keep(root.kept);
  });
  map.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
      event.key];
    if (!step) return;
    event.preventDefault();
    root.kept = root.kept.map((value, axis) => Math.min(
      Math.max(value + step[axis], 0), root.data.output.size[axis] - 1));
    show(root, root.kept);
    clearTimeout(root.timer);
    root.timer = setTimeout(() => root.keep(root.kept), 1000 * SECONDS_BEFORE_KEPT);
  });
}

export default function ({ parentElement, data, setTriggerValue }) {
  let root = parentElement.querySelector(".pixel");
  if (!root) {
    root = made(parentElement, "div", "pixel");
    root.parts = draw(root);
    listen(root);
  }
  root.keep = (at) => setTriggerValue("place", at);
  root.data = {
    ...data,
    input: { ...data.input, map: unpacked(data.input.values) },
    shareMap: unpacked(data.share), beforeMap: unpacked(data.before),
    steps: data.steps.map((step) => ({ name: step.name, map: unpacked(step.values) })),
  };
  root.kept = data.place;
  root.parts.input.picture.src = data.input.picture;
  root.parts.output.picture.src = data.output.picture;
  root.parts.output.map.setAttribute("aria-label",
    "The output. Arrow keys choose a place; it is worked out beside it.");
  show(root, root.kept);
  return () => clearTimeout(root.timer);
}
