// Takes many files, or whole folders, before the uploader beside it does, and sends them to
// /drops itself: the uploader's list makes a browser slow from some hundreds of files on.
const MOST_BYTES = 4 * 2 ** 20; // of a request, unless one file has more
const MOST_FILES = 50; // of a request
const SOME_BYTES = 10 * 2 ** 20; // from here on the words tell them
const ENTRIES_AT_ONCE = 50; // then the page may do something else
const AT_ONCE = 2; // requests: the server writes one while the browser reads for the other

class Told extends Error {} // a failure in words for the person

const breath = () => new Promise((resolve) => { setTimeout(resolve); });
const number = (value) => value.toLocaleString("en");

// Files below folders, as [name with its folders, file, or null for one that cannot be read].
async function filesBelow(entries, most, tell, signal) {
  const found = [];
  const folders = [...entries];
  while (folders.length) {
    const entry = folders.pop();
    if (entry.isFile) found.push(entry);
    else folders.push(...await entriesOf(entry));
    if (found.length + folders.length > most) throw tooMany(most);
    signal.throwIfAborted();
    tell(found.length);
  }
  const files = [];
  while (files.length < found.length) {
    signal.throwIfAborted();
    files.push(...await Promise.all(found.slice(files.length, files.length + ENTRIES_AT_ONCE).map(
      async (entry) => [entry.fullPath.slice(1), await fileOf(entry)])));
  }
  return files;
}

function fileOf(entry) {
  return new Promise((resolve) => { entry.file(resolve, () => resolve(null)); });
}

async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) { // a reader gives some at a time, and nothing at the end
    const some = await new Promise((resolve) => { reader.readEntries(resolve, () => resolve([])); });
    if (!some.length) return all;
    all.push(...some);
  }
}

function tooMany(most) {
  return new Told(`These are more than ${number(most)} files. Give the path of the folder instead: `
    + "then nothing has to be copied.");
}

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch (error) {
    return false;
  }
}

// What the server can take, cut into requests: [[number, file], ...] each.
function cut(wanted, files) {
  const batches = [];
  let size = Infinity;
  for (const place of wanted) {
    const file = files[place][1];
    if (!file) continue; // the server says that it did not come
    const last = batches[batches.length - 1];
    if (size + file.size > MOST_BYTES || last.length >= MOST_FILES) {
      batches.push([]);
      size = 0;
    }
    batches[batches.length - 1].push([place, file]);
    size += file.size;
  }
  return batches;
}

class Sending {
  constructor(visit, say) {
    this.visit = visit;
    this.say = say;
    this.stop = new AbortController();
    this.id = "";
    // Below the page's address, wherever the dashboard is mounted.
    this.base = `${window.location.pathname.replace(/\/[^/]*$/, "")}/drops/`;
  }

  async ask(method, path, body, options = { signal: this.stop.signal }) {
    const answer = await fetch(this.base + path, {
      method, body, headers: { "X-Visit": this.visit }, ...options,
    });
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const problem = await answer.json().catch(() => ({}));
    throw new Told(problem.detail ? `${problem.detail} ${problem.hint}`
      : `The server answered ${answer.status}. Reload the page and try again.`);
  }

  // Send all that the server wants; return the id of the drop.
  async send(files) {
    const list = [];
    for (const [name, file] of files) { // the browser looks at the disk for each size
      list.push([name.slice(-500), file ? file.size : 0]);
      if (list.length % ENTRIES_AT_ONCE === 0) await breath();
    }
    this.stop.signal.throwIfAborted();
    const found = await this.ask("POST", "", JSON.stringify(list));
    this.id = found.id;
    if (!found.take.length) {
      throw new Told(`No file of these can be taken. Left out: ${found.left_out.join("; ")}.`);
    }
    const batches = cut(found.take, files);
    const total = [found.take.length, found.take.reduce(
      (sum, place) => sum + (files[place][1] ? files[place][1].size : 0), 0)];
    const sent = [0, 0];
    this.say(sent, total);
    const worker = async () => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        await this.deliver(batch);
        sent[0] += batch.length;
        sent[1] += batch.reduce((sum, [, file]) => sum + file.size, 0);
        this.say(sent, total);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return found.id;
  }

  async deliver(batch) {
    const path = `${this.id}?files=${batch.map(([place]) => place).join(",")}`;
    try {
      await this.ask("POST", path, new Blob(batch.map(([, file]) => file)));
    } catch (error) {
      if (error instanceof Told || this.stop.signal.aborted) throw error;
      const fine = await Promise.all(batch.map(([, file]) => readable(file)));
      const rest = batch.filter((one, place) => fine[place]);
      if (rest.length === batch.length) {
        throw new Told("The server cannot be reached. Try again when it runs.");
      }
      if (rest.length) await this.deliver(rest); // the others were deleted or changed meanwhile
    }
  }

  cancel() {
    this.stop.abort();
    if (this.id) this.ask("DELETE", this.id, undefined, { keepalive: true }).catch(() => {});
  }
}

function build(parent) {
  const root = made(parent, "div", "drop");
  const idle = made(root, "div", "idle");
  const choose = made(idle, "button", "", "Choose a folder");
  const hint = made(idle, "span", "");
  const busy = made(root, "div", "busy");
  const middle = made(busy, "div", "");
  const words = made(middle, "div", "words");
  const track = made(middle, "div", "track", "", {
    role: "progressbar", "aria-label": "Sending files", "aria-valuemin": "0", "aria-valuemax": "100",
  });
  const bar = made(track, "div", "bar");
  const cancel = made(busy, "button", "", "Cancel");
  const wrong = made(root, "p", "wrong", "", { role: "alert" });
  const told = made(root, "div", "told", "", { role: "status", "aria-live": "polite" });
  const input = made(root, "input", "");
  input.type = "file";
  input.webkitdirectory = true;
  input.hidden = true;
  busy.hidden = true;
  return { root, idle, choose, hint, busy, words, track, bar, cancel, wrong, told, input };
}

export default function ({ parentElement, data, setTriggerValue }) {
  const old = parentElement.querySelector(".drop");
  if (old) { // what is being sent goes on
    Object.assign(old.now, { data, setTriggerValue });
    return old.leave;
  }
  const box = build(parentElement);
  const now = { data, setTriggerValue };
  box.root.now = now;
  box.hint.textContent = data.hint;
  let sending = null;
  let quarter = 0; // of the way that was told to a screen reader last

  function show(busy) {
    const focus = parentElement.activeElement;
    box.busy.hidden = !busy;
    box.idle.hidden = busy;
    if (busy && focus === box.choose) box.cancel.focus();
    if (!busy && focus === box.cancel) box.choose.focus();
  }

  function draw(text, share) {
    box.words.textContent = text;
    box.bar.style.width = `${100 * share}%`;
    box.track.setAttribute("aria-valuenow", (100 * share).toFixed(0));
    if (Math.floor(4 * share) === quarter) return;
    quarter = Math.floor(4 * share);
    box.told.textContent = text;
  }

  function say([files, bytes], [ofFiles, ofBytes]) {
    const mega = (value) => number(Math.round(value / 2 ** 20));
    draw(`Sending ${number(files)} of ${number(ofFiles)} files`
      + (ofBytes < SOME_BYTES ? "" : ` (${mega(bytes)} of ${mega(ofBytes)} MB)`),
    ofBytes ? bytes / ofBytes : files / ofFiles);
  }

  // `gather` returns the files, perhaps after a while.
  async function take(gather) {
    if (sending) sending.cancel();
    const mine = new Sending(now.data.visit, say);
    sending = mine;
    quarter = -1;
    box.wrong.textContent = "";
    draw("Looking at the files", 0);
    show(true);
    try {
      const files = await gather(mine.stop.signal);
      if (files.length > now.data.listed) throw tooMany(now.data.listed);
      const id = await mine.send(files);
      if (sending === mine) now.setTriggerValue("dropped", id);
    } catch (error) {
      if (sending !== mine) return; // cancelled: by a button, or by the next files
      mine.cancel();
      box.wrong.textContent = error instanceof Told ? error.message
        : `The files could not be sent (${error.message}). Reload the page and try again.`;
    }
    if (sending !== mine) return;
    sending = null;
    box.told.textContent = "";
    show(false);
  }

  function isUploader(target) {
    return target instanceof Element && target.closest(`.st-key-${now.data.uploader}`) !== null;
  }

  function dropped(event) {
    if (!isUploader(event.target) || !event.dataTransfer) return;
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    // A folder has no type. The browser looks at the disk for each entry: not for every picture.
    const folders = items.some((item) => !item.type && item.webkitGetAsEntry()?.isDirectory);
    const entries = folders ? items.map((item) => item.webkitGetAsEntry()).filter(Boolean) : [];
    const files = [...event.dataTransfer.files].map((file) => [file.name, file]);
    if (!folders && files.length <= now.data.few) return; // the uploader's own
    event.preventDefault();
    event.stopImmediatePropagation();
    // A drop without files: the uploader no longer waits for the one that it does not get.
    event.target.dispatchEvent(new DragEvent("drop", {
      bubbles: true, cancelable: true, dataTransfer: new DataTransfer(),
    }));
    take((signal) => (folders ? filesBelow(entries, now.data.listed, (found) => draw(
      `Looking into the folder: ${number(found)} files`, 0), signal) : files));
  }

  function chosen(event) {
    const { target } = event;
    if (!isUploader(target) || target.type !== "file" || target.files.length <= now.data.few) return;
    event.stopImmediatePropagation();
    const files = [...target.files].map((file) => [file.name, file]);
    target.value = "";
    window.dispatchEvent(new Event("focus")); // the uploader sees that its dialog is closed
    take(() => files);
  }

  box.choose.addEventListener("click", () => { box.input.value = ""; box.input.click(); });
  box.input.addEventListener("change", () => {
    const files = [...box.input.files].map((file) => [file.webkitRelativePath, file]);
    if (files.length) take(() => files);
  });
  box.cancel.addEventListener("click", () => {
    sending.cancel();
    sending = null;
    box.told.textContent = "Cancelled.";
    show(false);
  });
  document.addEventListener("drop", dropped, true);
  document.addEventListener("change", chosen, true);
  box.root.leave = () => {
    document.removeEventListener("drop", dropped, true);
    document.removeEventListener("change", chosen, true);
    if (sending) sending.cancel();
    sending = null;
  };
  return box.root.leave;
}
