// A box of fixed proportions on a picture: dragged, resized at its grip, or moved by keys.
const STEP = 0.02; // of the picture's shorter side, for a key
const SMALLEST = 0.05; // of the picture's shorter side
const SETTLED = 400; // ms after the last key

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export default function ({ parentElement, data, setStateValue }) {
  const old = parentElement.querySelector(".frame");
  if (old && old.dataset.of === data.of) return undefined; // drawn anew by another widget
  parentElement.querySelectorAll(".frame, .hint").forEach((one) => one.remove());
  const { width, height, aspect } = data; // of the picture in pixels; width over height of the box
  const shorter = Math.min(width, height);
  const frame = made(parentElement, "div", "frame");
  frame.dataset.of = data.of;
  const picture = made(frame, "img", "");
  picture.src = data.picture;
  picture.alt = data.alt;
  picture.draggable = false;
  picture.width = width;
  const part = made(frame, "div", "part");
  part.tabIndex = 0;
  part.setAttribute("role", "application");
  part.setAttribute("aria-label", data.label);
  const grip = made(part, "div", "grip");
  made(parentElement, "p", "hint").textContent = data.label;

  const widest = Math.min(width, height * aspect);
  const box = { x: (width - widest) / 2, y: (height - widest / aspect) / 2, w: widest };

  function draw() {
    const share = (value, whole) => `${(100 * value) / whole}%`;
    part.style.left = share(box.x, width);
    part.style.top = share(box.y, height);
    part.style.width = share(box.w, width);
    part.style.height = share(box.w / aspect, height);
  }

  function place(x, y, w) {
    box.w = clamp(w, Math.min(SMALLEST * shorter * Math.max(1, aspect), widest), widest);
    box.x = clamp(x, 0, width - box.w);
    box.y = clamp(y, 0, height - box.w / aspect);
    draw();
  }

  function tell() {
    const shares = [box.x / width, box.y / height, (box.x + box.w) / width,
      (box.y + box.w / aspect) / height];
    setStateValue("part", shares.map((share) => Math.round(clamp(share, 0, 1) * 1e4) / 1e4));
  }

  function drag(event, change) {
    event.preventDefault();
    event.stopPropagation();
    part.focus();
    const scale = width / picture.clientWidth;
    const begin = { ...box, left: event.clientX, top: event.clientY };
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const move = (next) => change(begin, (next.clientX - begin.left) * scale,
      (next.clientY - begin.top) * scale);
    const end = () => {
      target.removeEventListener("pointermove", move);
      target.removeEventListener("pointerup", end);
      target.removeEventListener("pointercancel", end);
      tell();
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", end);
    target.addEventListener("pointercancel", end);
  }

  part.addEventListener("pointerdown", (event) => drag(event, (begin, dx, dy) =>
    place(begin.x + dx, begin.y + dy, begin.w)));
  grip.addEventListener("pointerdown", (event) => drag(event, (begin, dx, dy) =>
    place(begin.x, begin.y, Math.min(begin.w + Math.max(dx, dy * aspect),
      width - begin.x, (height - begin.y) * aspect))));

  let settling;
  part.addEventListener("keydown", (event) => {
    const step = STEP * shorter;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step],
      ArrowDown: [0, step] };
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      place(box.x + dx, box.y + dy, box.w);
    } else if (event.key === "+" || event.key === "-") {
      const grown = box.w + (event.key === "+" ? 2 : -2) * step;
      place(box.x - (grown - box.w) / 2, box.y - (grown - box.w) / 2 / aspect, grown);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    clearTimeout(settling);
    settling = setTimeout(tell, SETTLED);
  });

  draw();
  return undefined;
}
