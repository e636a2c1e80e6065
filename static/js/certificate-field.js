// Owns the certificate field: "Browse", drop and paste, and what was understood, shown at once.
// Never judges a certificate: the server does, and answers with a piece of page.

const wait = 350; // milliseconds without a key before pasted text is sent
const largest = 64 * 1024; // bytes; the server refuses more, so nothing longer is sent

const body = (field) => {
  const form = field.closest("form");
  const file = field.querySelector("[type=file]");
  const text = field.querySelector("textarea");
  const data = new FormData();
  data.append("csrf_token", form.elements.csrf_token.value);
  if (file.files.length) data.append(file.name, file.files[0]);
  data.append(text.name, text.value);
  return data;
};

const nothingGiven = (field) =>
  !field.querySelector("[type=file]").files.length && !field.querySelector("textarea").value.trim();

const preview = async (field, turn) => {
  const place = field.querySelector("[data-certificate-preview]");
  const file = field.querySelector("[type=file]").files[0];
  if (nothingGiven(field)) return place.replaceChildren();
  if (file && file.size > largest) return (place.textContent = "This file is larger than a certificate can be.");
  const answer = await fetch(field.dataset.previewUrl, { method: "POST", body: body(field) });
  if (turn !== field.turn) return undefined;
  if (!answer.ok && answer.status !== 422) return place.replaceChildren();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return place.replaceChildren(...page.body.childNodes);
};

// An answer that arrives after a later change is dropped; without an answer, saving still tells
const show = (field) => {
  field.turn = (field.turn ?? 0) + 1;
  preview(field, field.turn).catch(() => field.querySelector("[data-certificate-preview]").replaceChildren());
};

const nameFile = (field) => {
  const file = field.querySelector("[type=file]").files[0];
  field.querySelector("[data-certificate-file]").textContent = file?.name ?? "";
};

const serve = (field) => {
  const file = field.querySelector("[type=file]");
  const text = field.querySelector("textarea");
  const drop = field.querySelector("[data-certificate-drop]");
  let timer;

  field.querySelector("[data-certificate-browse]").addEventListener("click", () => file.click());

  file.addEventListener("change", () => {
    if (file.files.length) text.value = "";
    nameFile(field);
    show(field);
  });

  text.addEventListener("input", () => {
    file.value = "";
    nameFile(field);
    clearTimeout(timer);
    timer = setTimeout(() => show(field), wait);
  });

  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.dataset.over = "";
    });
  }
  drop.addEventListener("dragleave", () => delete drop.dataset.over);
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    delete drop.dataset.over;
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    file.dispatchEvent(new Event("change"));
  });
};

document.querySelectorAll("[data-certificate-field]").forEach(serve);
