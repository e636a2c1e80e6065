// Owns the field for a captured message: "Browse", drop, and the name of the file that was chosen.
// Never reads a capture: the server does.

const size = (bytes) =>
  bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

const tell = (field) => {
  const file = field.querySelector("[type=file]").files[0];
  const tooLarge = file && file.size > Number(field.dataset.largest);
  field.querySelector("[data-capture-file]").textContent = !file
    ? ""
    : `${file.name}, ${size(file.size)}${tooLarge ? ": too large, the most is 16 MiB" : ""}`;
};

const serve = (field) => {
  const file = field.querySelector("[type=file]");
  const text = field.querySelector("textarea");
  const drop = field.querySelector("[data-capture-drop]");

  field.querySelector("[data-capture-browse]").addEventListener("click", () => file.click());

  file.addEventListener("change", () => {
    if (file.files.length) text.value = "";
    tell(field);
  });

  text.addEventListener("input", () => {
    file.value = "";
    tell(field);
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

document.querySelectorAll("[data-capture-field]").forEach(serve);
