// Owns sending a form with [data-auto-post] as soon as its page is shown.
// Never sends it again for somebody who came here with "Back".

const [visit] = performance.getEntriesByType("navigation");
if (visit?.type !== "back_forward") document.querySelector("form[data-auto-post]")?.requestSubmit();
