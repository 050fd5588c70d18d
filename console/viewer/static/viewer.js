/* Keyboard, partial updates, live progress, saving of reviews. Every page works without it. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* --- partial updates: the same page is fetched and one part of it is replaced ------------------------------- */
  let latestRequest = 0;
  async function replacePart(url, part, push) {
    const request = ++latestRequest;
    let reply;
    try { reply = await fetch(url, { headers: { Accept: "text/html" } }); } catch { location.assign(url); return; }
    if (request !== latestRequest) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const fresh = page.getElementById(part), old = document.getElementById(part);
    if (!reply.ok || !fresh || !old) { location.assign(url); return; }
    old.replaceWith(fresh);
    if (push) history.replaceState(null, "", url);
  }

  for (const form of all("form[data-partial]")) {
    const go = () => {
      const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
      replacePart(form.action + (query.size ? "?" + query : ""), form.dataset.partial, true);
    };
    let wait;
    form.addEventListener("change", go);
    form.addEventListener("input", (event) => {
      if (event.target.type !== "search") return;
      clearTimeout(wait);
      wait = setTimeout(go, 250);
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); go(); });
  }

  /* --- reading: steps follow each other on one screen, each with an address of its own ----------------------------- */
  /* On a phone the steps scroll in a box of their own. */
  function showCurrent() {
    const ribbon = $(".ribbon"), current = $(".ribbon [aria-current]");
    if (!current) return;
    const box = ribbon.getBoundingClientRect(), at = current.getBoundingClientRect();
    if (at.top < box.top || at.bottom > box.bottom) ribbon.scrollTop += at.top - box.top - 8;
  }
  showCurrent();
  let swapping = Promise.resolve(), place = location.pathname + location.search;
  function swap(url, push) { swapping = swapping.then(() => show(url, push)); }
  async function show(url, push) {
    const ribbon = $(".ribbon"), at = ribbon ? ribbon.scrollTop : 0;
    if (push) history.pushState({ swap: true }, "", url);
    place = location.pathname + location.search;
    await replacePart(url, "main", false);
    const fresh = $(".ribbon");
    if (fresh) fresh.scrollTop = at;
    showCurrent();
    scrollTo(0, 0);
    const heading = $("#reading h1");
    document.title = (heading ? heading.textContent.slice(0, 60) + " · " : "") + "tracejury";
  }
  if (location.protocol !== "file:") {
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-swap]");
      if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !$(".reading")) return;
      event.preventDefault();
      swap(link.href, true);
    });
    // A jump within the page is no other page: renewing it would close what is open, and scroll away from the target.
    addEventListener("popstate", () => {
      if ($(".reading") && location.pathname + location.search !== place) swap(location.href, false);
    });
  }

  /* --- a live run: the page renews itself unless somebody is reading with the keyboard or has something open ---- */
  const live = Number(document.body.dataset.live);
  if (live) {
    const pause = () => document.hidden || $("details[open]") || $("dialog[open]") || $("form#review")
      || String(getSelection()).length > 0 || (document.activeElement && $("main").contains(document.activeElement));
    const coming = $(".coming") !== null;
    const timer = setInterval(() => {
      // A page that only waits for its figures is done once they are there.
      if (coming && !$(".coming")) { clearInterval(timer); return; }
      if (!pause()) replacePart(location.href, "main", false).catch(() => {});
    }, live * 1000);
  }

  /* --- review: saved at once ------------------------------------------------------------------------------------ */
  const review = $("form#review");
  /* One after another: of two answers in quick succession the later one must be the last to arrive. */
  let saving = Promise.resolve(true);
  const save = (form) => saving = saving.then(() => send(form));
  async function send(form) {
    const status = $("#saved");
    status.textContent = "saving …";
    try {
      const reply = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
      });
      if (!reply.ok) throw new Error(String(reply.status));
      status.textContent = "saved";
      return true;
    } catch {
      status.textContent = "not saved: the viewer does not answer; use the button once it does";
      return false;
    }
  }
  if (review) {
    review.addEventListener("change", () => save(review));
    $("#note").addEventListener("blur", () => { if ($("#note").value !== $("#note").defaultValue) save(review); });
  }
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "noteform") return;
    event.preventDefault();
    save(event.target);
  });

  /* A key answers one question of the sheet; the next step comes once all of them are answered. */
  function answered(key) {
    const choice = $(`input[data-key="${CSS.escape(key)}"]`, review), type = $("#error_type"), number = Number(key);
    if (choice) choice.checked = true;
    else if (number >= 1 && number < type.options.length && $("input[name=label][value=error]", review).checked) type.selectedIndex = number;
    else return false;
    return true;
  }
  function complete() {
    const label = $("input[name=label]:checked", review);
    return label && (label.value !== "error" || $("#error_type").value)
      && (!$("input[name=relation]", review) || $("input[name=relation]:checked", review));
  }

  /* --- keys ----------------------------------------------------------------------------------------------------- */
  const rows = () => all("#main .row");
  function move(by) {
    const list = rows(), at = list.indexOf(document.activeElement);
    const next = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by))];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  }
  const follow = (selector) => { const link = $(selector); if (link) link.click(); return Boolean(link); };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
    if (event.key === "Escape" && typing) { typing.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (review && answered(event.key)) {
      event.preventDefault();
      save(review).then((done) => { if (done && complete()) follow("a[data-key=j]"); });
      return;
    }
    const did = {
      // A key that is pressed while a step is still coming counts from that step.
      j: () => swapping.then(() => follow("a[data-key=j]") || move(1)),
      k: () => swapping.then(() => follow("a[data-key=k]") || move(-1)),
      n: () => follow("a[rel=next]"),
      p: () => follow("a[rel=prev]"),
      u: () => follow("a[rel=up]"),
      c: () => follow("a[data-key=c]"),
      "/": () => { const words = $("input[type=search]"); if (words) { words.focus(); words.select(); } },
      m: () => {
        const note = $("#note"), fold = note && note.closest("details");
        if (fold) fold.open = true;
        if (note) note.focus();
      },
      "?": () => $("#keys").showModal(),
    }[event.key];
    if (did) { event.preventDefault(); did(); }
  });
})();
