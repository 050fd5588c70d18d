"use strict";
const sheet = document.body.dataset.sheet;
const cards = [...document.querySelectorAll("article")];
const key = "tracejury-sheet-" + sheet;

function rowOf(card) {
  const id = card.dataset.item;
  const chosen = card.querySelector("input[type=radio]:checked");
  return {
    item: id,
    verdict: chosen ? chosen.value : "",
    error_type: card.querySelector("select").value,
    note: card.querySelector(".note input").value,
    relation: card.querySelector("[data-answer=relation]")?.value || "",
  };
}

function show() {
  let done = 0;
  for (const card of cards) {
    const row = rowOf(card);
    const isError = row.verdict === "error";
    const select = card.querySelector("select");
    select.disabled = !isError;
    if (!isError) select.value = "";
    const whole = row.verdict !== "" && (!isError || select.value !== "");
    card.classList.toggle("done", whole);
    done += whole;
  }
  document.getElementById("progress").value = done;
  document.getElementById("done").textContent = done + " of " + cards.length + " done";
}

function collect() {
  return { sheet, expert: document.getElementById("expert").value.trim(), rows: cards.map(rowOf) };
}

function keep() {
  show();
  // Some browsers forbid storage to files opened from disk; saving to a file works all the same.
  try { localStorage.setItem(key, JSON.stringify(collect())); } catch { document.body.classList.add("unkept"); }
}

function fill(body) {
  if (body.sheet !== sheet) { alert("This file belongs to sheet " + body.sheet); return; }
  document.getElementById("expert").value = body.expert || "";
  for (const row of body.rows) {
    const card = document.getElementById(row.item);
    if (!card) continue;
    for (const radio of card.querySelectorAll("input[type=radio]")) radio.checked = radio.value === row.verdict;
    card.querySelector("select").disabled = false;
    card.querySelector("select").value = row.error_type || "";
    card.querySelector(".note input").value = row.note || "";
    const relation = card.querySelector("[data-answer=relation]");
    if (relation) relation.value = row.relation || "";
  }
  keep();
}

document.addEventListener("input", keep);
document.getElementById("load").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  if (file) fill(JSON.parse(await file.text()));
});
document.getElementById("save").addEventListener("click", () => {
  const name = document.getElementById("expert");
  if (!name.value.trim()) { name.focus(); name.reportValidity(); return; }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(collect(), null, 1)], { type: "application/json" }));
  link.download = sheet + "-" + name.value.trim().replace(/\W+/g, "-") + ".json";
  link.click();
  URL.revokeObjectURL(link.href);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=radio]), select")) return;
  const here = cards.indexOf(document.activeElement.closest("article"));
  if (event.key === "j" || event.key === "k") {
    const next = cards[Math.min(Math.max(here + (event.key === "j" ? 1 : -1), 0), cards.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "start" });
  } else if (here >= 0) {
    const card = cards[here], key = CSS.escape(event.key);
    const verdict = card.querySelector(`input[data-key="${key}"]`), relation = card.querySelector(`option[data-key="${key}"]`);
    const type = card.querySelector("select"), number = Number(event.key);
    if (verdict) verdict.checked = true;
    else if (relation) relation.selected = true;
    else if (!type.disabled && number >= 1 && number < type.options.length) type.selectedIndex = number;
    else if (event.key === "m") { event.preventDefault(); card.querySelector(".note input").focus(); return; }
    else return;
    event.preventDefault();
    keep();
  }
});
try { const kept = localStorage.getItem(key); if (kept) fill(JSON.parse(kept)); } catch { document.body.classList.add("unkept"); }
show();
