
"use strict";
// Filters, zooms and unfolds; without it, the page holds the same.
const make = (name, text, properties = {}) => Object.assign(document.createElement(name), { textContent: text, ...properties });

// A field above each long list, which hides the rows that lack one of its words.
const LONG = 8;
for (const list of document.querySelectorAll(".filtered")) {
  const rows = [...list.querySelectorAll(".rows > li")];
  if (rows.length <= LONG) continue;
  const texts = rows.map((row) => row.textContent.replace(/\s+/g, " ").toLowerCase());
  const shown = make("output", `${rows.length} shown`);
  const field = make("input", "", { type: "search", placeholder: "Filter: words that a row holds" });
  field.setAttribute("aria-label", "Filter this list");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = `${count} of ${rows.length} shown`;
  });
  const bar = make("div", "", { className: "filter" });
  bar.append(field, shown);
  list.prepend(bar);
}

// Pictures are zoomed by buttons or the wheel with Ctrl, moved by dragging; a click on a box shows its arrows alone.
for (const canvas of document.querySelectorAll(".canvas")) {
  const picture = canvas.querySelector("svg");
  const [width, height] = [picture.width.baseVal.value, picture.height.baseVal.value];
  let scale = 1;
  const zoom = (to) => {
    const [x, y] = [canvas.scrollLeft + canvas.clientWidth / 2, canvas.scrollTop + canvas.clientHeight / 2];
    const by = Math.min(8, Math.max(0.05, to)) / scale;
    scale *= by;
    picture.setAttribute("width", width * scale);
    picture.setAttribute("height", height * scale);
    canvas.scrollTo(x * by - canvas.clientWidth / 2, y * by - canvas.clientHeight / 2);
  };
  const fit = () => Math.min(canvas.clientWidth / width, innerHeight * 0.8 / height);
  const bar = make("span", "", { className: "zoom" });
  const button = (text, title, action) => {
    const made = make("button", text, { type: "button", title });
    made.setAttribute("aria-label", title);
    made.addEventListener("click", action);
    bar.append(made);
  };
  button("+", "Zoom in", () => zoom(scale * 1.4));
  button("\u2212", "Zoom out", () => zoom(scale / 1.4));
  button("Fit", "Fit the picture into its frame", () => zoom(fit()));
  button("1:1", "Full size", () => zoom(1));
  canvas.previousElementSibling.append(bar);
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(scale * Math.exp(-event.deltaY / 400));
  }, { passive: false });

  // A large one starts small, as far as it can still be read.
  if (width > canvas.clientWidth && canvas.clientWidth) zoom(Math.max(canvas.clientWidth / width, 0.75));

  let from = null;
  canvas.classList.add("grab");
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) {
      from = [event.clientX + canvas.scrollLeft, event.clientY + canvas.scrollTop];
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    if (from && event.buttons) canvas.scrollTo(from[0] - event.clientX, from[1] - event.clientY);
  });
  addEventListener("pointerup", () => { from = null; });

  const arrows = [...picture.querySelectorAll(".arrow")];
  picture.addEventListener("click", (event) => {
    const box = event.target.closest(".box");
    const picked = box && !box.classList.contains("picked") ? box.dataset.name : null;
    for (const other of picture.querySelectorAll(".box")) other.classList.toggle("picked", other.dataset.name === picked);
    for (const arrow of arrows) {
      const [ends] = arrow.querySelector("title").textContent.split(": ");
      arrow.classList.toggle("faded", picked !== null && !ends.split(" imports ").includes(picked));
    }
  });
}

// What a link or an address leads to is unfolded.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target?.scrollIntoView();
};
addEventListener("hashchange", unfold);
if (location.hash) unfold();

// Everything that the rewrite changes at once.
for (const rewrite of document.querySelectorAll(".rewrite")) {
  const all = [...rewrite.querySelectorAll("details")];
  const button = make("button", "Unfold all", { type: "button" });
  button.addEventListener("click", () => {
    const open = all.some((details) => !details.open);
    all.forEach((details) => { details.open = open; });
    button.textContent = open ? "Fold all" : "Unfold all";
  });
  rewrite.querySelector("h3").after(button);
}
addEventListener("beforeprint", () => document.querySelectorAll(".patch").forEach((patch) => { patch.open = true; }));
