// Draws a feed once, then only changes its words and widths: no layout of the page, no animation.
function drawBar(parent, color) {
  const words = made(parent, "div", "words");
  const track = made(parent, "div", "track");
  track.setAttribute("role", "progressbar");
  track.setAttribute("aria-valuemin", "0");
  track.setAttribute("aria-valuemax", "100");
  const bar = made(track, "div", "bar");
  bar.style.background = color;
  return { words, track, bar };
}

function drawFigure(parent, [label, , help]) {
  const box = made(parent, "div", "figure");
  box.title = help;
  made(box, "div", "label").textContent = label;
  return made(box, "div", "value");
}

function draw(root, feed, color) {
  root.replaceChildren();
  const bars = feed.bars.map(() => drawBar(root, color));
  const grid = made(root, "div", "figures");
  const values = feed.figures.map((figure) => drawFigure(grid, figure));
  return { bars, values, line: made(root, "p", "line") };
}

function say(shown, feed) {
  feed.bars.forEach(([share, text], i) => {
    const percent = 100 * share;
    shown.bars[i].words.textContent = text;
    shown.bars[i].track.setAttribute("aria-label", text);
    shown.bars[i].track.setAttribute("aria-valuenow", percent.toFixed(0));
    shown.bars[i].bar.style.width = `${percent.toFixed(1)}%`;
  });
  feed.figures.forEach(([, value], i) => { shown.values[i].textContent = value; });
  shown.line.textContent = feed.line;
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".live") || made(parentElement, "div", "live");
  // Below the page's address, wherever the dashboard is mounted.
  const address = `${window.location.pathname.replace(/\/[^/]*$/, "")}/live/${data.run}`;
  let feed = data.feed;
  let shown = draw(root, feed, data.color);
  say(shown, feed);

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (!answer.ok) return;
      const news = await answer.json();
      if (news.bars.length !== feed.bars.length) shown = draw(root, news, data.color);
      feed = news;
      say(shown, feed);
      if (feed.mark !== data.feed.mark) {
        clearInterval(root.timer);
        setTriggerValue("changed", feed.mark);
      }
    } catch (error) {
      // The server is away for a moment; Streamlit says so itself.
    }
  }

  clearInterval(root.timer);
  root.timer = setInterval(look, 1000 * data.seconds);
  return () => clearInterval(root.timer);
}
