// Owns what a form with [data-posting] looks like while it is on its way, and that it goes only once.
// Never sends anything itself.

const going = new WeakSet();

const start = (form, button) => {
  going.add(form);
  form.setAttribute("aria-busy", "true");
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  const label = button.querySelector("span") ?? button;
  if (button.dataset.busy) {
    button.dataset.label = label.textContent;
    label.textContent = button.dataset.busy;
  }
};

const stop = (form) => {
  going.delete(form);
  form.removeAttribute("aria-busy");
  for (const button of form.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    if (button.dataset.label) (button.querySelector("span") ?? button).textContent = button.dataset.label;
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-posting]") || event.submitter?.formMethod === "dialog") return;
  if (going.has(form)) event.preventDefault();
  else start(form, event.submitter);
});

// "Back" shows the page as it was left, busy form included
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("[data-posting]").forEach(stop);
});
