// Owns the theme: sets it before the first paint (a classic script in the head, on purpose) and serves the switch.
// Never draws: tokens.css does, from data-theme on the root.
(() => {
  const root = document.documentElement;
  const choices = ["system", "light", "dark"];

  const remembered = () => {
    try {
      const choice = localStorage.getItem("theme");
      return choices.includes(choice) ? choice : "system";
    } catch {
      return "system"; // storage may be forbidden; the system's theme still holds
    }
  };

  const remember = (choice) => {
    try {
      localStorage.setItem("theme", choice);
    } catch {
      // the choice then lasts for this page only
    }
  };

  const apply = (choice) => {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
  };

  const show = (button, choice) => {
    button.dataset.choice = choice;
    button.setAttribute("aria-label", `Theme: ${choice}`);
    button.title = `Theme: ${choice}`;
  };

  root.dataset.script = "";
  let choice = remembered();
  apply(choice);

  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      show(button, choice);
      button.addEventListener("click", () => {
        choice = choices[(choices.indexOf(choice) + 1) % choices.length];
        apply(choice);
        remember(choice);
        show(button, choice);
      });
    }
  });
})();
