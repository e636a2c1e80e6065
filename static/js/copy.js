// Owns the copy buttons: [data-copy] holds the text exactly as it came, marks and cuts left out.
// Never reads the page's text.

const shown = 1600; // milliseconds that the tick stays

const withoutClipboard = (text) => {
  // navigator.clipboard exists on https and loopback only; a test service is often reached by another name
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};

const copy = async (button) => {
  if (navigator.clipboard) await navigator.clipboard.writeText(button.dataset.copy);
  else withoutClipboard(button.dataset.copy);
  const label = button.getAttribute("aria-label");
  button.dataset.copied = "";
  button.setAttribute("aria-label", "Copied");
  button.focus();
  setTimeout(() => {
    delete button.dataset.copied;
    button.setAttribute("aria-label", label);
  }, shown);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button && !("copied" in button.dataset)) copy(button);
});
