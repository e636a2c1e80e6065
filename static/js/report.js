// Owns opening and closing in a report: all at once, or the row that the address names.
// Never decides what is open at first: the template does.

const openTarget = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.closest("[data-report]")) return;
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  target.scrollIntoView({ block: "start" });
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-report-all]");
  if (!button) return;
  const open = button.dataset.reportAll === "open";
  for (const part of button.closest("[data-report]").querySelectorAll("details.stage, details.row")) part.open = open;
});

addEventListener("hashchange", openTarget);
openTarget();
