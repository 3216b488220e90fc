// Pictures in rows, each a button: one element of the page where Streamlit's own would be sixty.
function drawTile(parent, [row, png, lines], open) {
  const button = made(parent, "button", "tile");
  const picture = made(button, "img", "picture");
  picture.src = `data:image/png;base64,${png}`;
  picture.alt = `Test image ${row}`;
  lines.forEach((text, i) => {
    made(button, "span", i === 0 ? "first" : "line").textContent = text;
  });
  made(button, "span", "number").textContent = `#${row}`;
  button.onclick = () => open(row);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const wall = parentElement.querySelector(".wall") || made(parentElement, "div", "wall");
  wall.replaceChildren();
  for (const tile of data.tiles) {
    drawTile(wall, tile, (row) => setTriggerValue("opened", row));
  }
}
