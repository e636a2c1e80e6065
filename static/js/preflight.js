// Owns the preflight beside the SAML form: what the server says of the form, while somebody types.
// Never judges a value and never keeps anybody from saving; without an answer the panel stays as it was.

const wait = 500; // milliseconds without a change before the form is sent
const largest = 64 * 1024; // bytes; a larger file is no certificate, and the server would refuse the whole form

const body = (form) => {
  const data = new FormData(form);
  const file = data.get("certificate");
  if (file instanceof File && file.size > largest) data.delete("certificate");
  data.append("browser_time", String(Date.now()));
  return data;
};

// What somebody opened or closed stays so; what the panel says is read out only when the count changes
const fill = (panel, page) => {
  for (const part of page.querySelectorAll("details")) {
    const before = document.getElementById(part.id);
    if (before) part.open = before.open;
  }
  const [count, rows] = [".preflight-count", ".preflight-rows"].map((name) => [panel.querySelector(name), page.querySelector(name)]);
  if (!count[1] || !rows[1]) return;
  if (count[0].textContent !== count[1].textContent) count[0].textContent = count[1].textContent;
  rows[0].replaceWith(rows[1]);
};

const look = async (panel, form, turn) => {
  const answer = await fetch(panel.dataset.preflight, { method: "POST", body: body(form) });
  const text = await answer.text();
  if (!answer.ok || turn !== panel.turn) return;
  fill(panel, new DOMParser().parseFromString(text, "text/html"));
};

const serve = (panel) => {
  const form = document.getElementById(panel.dataset.preflightForm);
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      panel.turn = (panel.turn ?? 0) + 1;
      look(panel, form, panel.turn).catch(() => {});
    }, wait);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  soon(); // with this browser's clock
};

document.querySelectorAll("[data-preflight]").forEach(serve);
