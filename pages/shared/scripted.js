// What every script of an element has before its own lines.
function made(parent, kind, className, text = "", attributes = {}) {
  const element = document.createElement(kind);
  element.className = className;
  element.textContent = text;
  if (kind === "button") element.type = "button";
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  parent.appendChild(element);
  return element;
}

