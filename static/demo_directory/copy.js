// Owns the Copy buttons, which are hidden until this runs.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const label = button.firstChild;
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    label.data = "Copied";
    setTimeout(() => { label.data = "Copy"; }, 1500);
  });
}
