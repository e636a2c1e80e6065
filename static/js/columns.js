// Owns "Edit Viewable/Hidden Fields": shows and hides at once, and remembers the choice for this table.
// Never leaves a table without columns: fixed ones have no check box.

const key = (menu) => `columns:${location.pathname}:${menu.dataset.columns}`;

const remembered = (menu) => {
  try {
    return JSON.parse(localStorage.getItem(key(menu)));
  } catch {
    return null;
  }
};

const remember = (menu, shown) => {
  try {
    localStorage.setItem(key(menu), JSON.stringify(shown));
  } catch {
    // the choice then lasts for this page only
  }
};

const boxes = (menu) => [...menu.querySelectorAll("input[name=columns]")];

const apply = (menu) => {
  const table = document.getElementById(menu.dataset.columns);
  if (!table) return;
  for (const box of boxes(menu)) {
    for (const cell of table.querySelectorAll(`[data-column="${CSS.escape(box.value)}"]`)) cell.hidden = !box.checked;
  }
};

const serve = (menu) => {
  const shown = remembered(menu);
  if (Array.isArray(shown)) {
    for (const box of boxes(menu)) box.checked = shown.includes(box.value);
    apply(menu);
  }
  menu.addEventListener("change", () => {
    apply(menu);
    remember(
      menu,
      boxes(menu)
        .filter((box) => box.checked)
        .map((box) => box.value),
    );
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
};

document.querySelectorAll("[data-columns]").forEach(serve);
