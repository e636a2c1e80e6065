// Owns the two windows: "Success" after a save, and the question before something is deleted.
// Never decides what is deleted: the address and the words stand in the link that was pressed.

const where = "window-return";

// The page was loaded anew after the save, so the button that was pressed is found again by its words.
const pressed = () => {
  try {
    return sessionStorage.getItem(where);
  } catch {
    return null;
  }
};

const keepPressed = (words) => {
  try {
    sessionStorage.setItem(where, words);
  } catch {
    // the focus then goes to the content
  }
};

const findPressed = (words) =>
  [...document.querySelectorAll("main button, main a.button")].find((one) => one.textContent.trim() === words);

addEventListener("submit", (event) => {
  const words = event.submitter?.textContent.trim();
  if (words && event.target.method === "post" && !event.target.closest("dialog")) keepPressed(words);
});

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
