// Owns the two windows: "Success" after a save, and the question before something is deleted.
// Never decides what is deleted: the address and the words stand in the link that was pressed.

const where = "window-return";

// The page was loaded anew after the save, so the button that was pressed is found again by its words and its form.
const pressed = () => {
  try {
    return JSON.parse(sessionStorage.getItem(where)) ?? [];
  } catch {
    return [];
  }
};

const keepPressed = (words, action) => {
  try {
    sessionStorage.setItem(where, JSON.stringify([words, action]));
  } catch {
    // the focus then goes to the content
  }
};

const findPressed = ([words, action]) => {
  const same = [...document.querySelectorAll("main button")].filter((one) => one.textContent.trim() === words);
  return same.find((one) => one.form?.action === action) ?? same[0];
};

// Before anybody else hears of it: posting.js changes the words
const remember = (event) => {
  const words = event.submitter?.textContent.trim();
  const form = event.target;
  if (words && form.method === "post" && !form.closest("dialog")) keepPressed(words, form.action);
};
addEventListener("submit", remember, { capture: true });

const success = document.querySelector("#success-window");
if (success) {
  success.close();
  success.showModal();
  success.addEventListener("close", () => {
    const back = findPressed(pressed()) ?? document.querySelector("main");
    back.focus();
  });
}

const confirmation = document.querySelector("#confirm-window");

const ask = (link) => {
  const button = confirmation.querySelector("[data-confirm-button]");
  confirmation.querySelector("h2").textContent = link.dataset.title;
  confirmation.querySelector("p").textContent = link.dataset.text;
  confirmation.querySelector("form").action = link.href;
  button.textContent = link.dataset.button;
  button.className = `button button-${link.dataset.kind}`;
  confirmation.showModal();
};

if (confirmation) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-confirm]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(link);
  });
}
