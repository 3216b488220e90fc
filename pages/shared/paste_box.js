// Takes a picture from the clipboard: Ctrl+V anywhere on the page, or a button where allowed.
const HINT = "or press Ctrl+V (⌘V) anywhere on this page";

export default function ({ parentElement, data, setTriggerValue }) {
  const old = parentElement.querySelector(".paste");
  if (old) { // drawn anew, for instance in another theme: what is pasted is sent once
    old.leave();
    old.remove();
  }
  const root = made(parentElement, "div", "paste");
  // Only pages from this computer or over https may ask for the clipboard.
  const button = navigator.clipboard && navigator.clipboard.read
    ? made(root, "button", "") : null;
  const words = made(root, "span", "");

  function say(text, wrong = false) {
    words.textContent = text;
    words.className = wrong ? "wrong" : "";
    words.setAttribute("role", wrong ? "alert" : "note");
  }

  function send(file) {
    if (file.size > data.largest) {
      say(`The picture on the clipboard has ${(file.size / 2 ** 20).toFixed(0)} MB. Save it as a `
        + "file and drop that instead.", true);
      return;
    }
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("picture", reader.result);
    reader.readAsDataURL(file);
    say("Pasted.");
  }

  async function read() {
    try {
      for (const item of await navigator.clipboard.read()) {
        const kind = item.types.find((type) => type.startsWith("image/"));
        if (kind) { send(await item.getType(kind)); return; }
      }
      say("There is no picture on the clipboard. Copy one first.", true);
    } catch (error) {
      say("The browser does not let this page read the clipboard. Press Ctrl+V (⌘V).", true);
    }
  }

  function pasted(event) {
    const files = [...(event.clipboardData ? event.clipboardData.files : [])];
    const file = files.find((one) => one.type.startsWith("image/"));
    if (!file) return; // text goes where the cursor is
    event.preventDefault();
    send(file);
  }

  if (button) {
    button.type = "button";
    button.textContent = "Paste a picture";
    button.addEventListener("click", read);
    say(HINT);
  } else {
    say(`Copied a picture? Press Ctrl+V (⌘V) anywhere on this page`);
  }
  document.addEventListener("paste", pasted);
  root.leave = () => document.removeEventListener("paste", pasted);
  return root.leave;
}
