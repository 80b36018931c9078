// Asks for the page again when something changed, and puts the new figures in place of the old ones.
// Everything is readable without it.
(() => {
  "use strict";
  const told = document.getElementById("told");
  const view = () => document.getElementById("view");
  if (!view() || !told || !window.EventSource) return;
  const shown = () => Number(view().dataset.position || 0);
  const apart = 2000; // No more often than this, however much is reported.
  let wanted = 0;
  let asked = 0;
  let waiting = null;

  // What the reader opened stays open, and the focus where it was.
  const opened = () => [...view().querySelectorAll("details")].map((one) => one.open);
  const focused = () => [...view().querySelectorAll("a, button, select, summary")].indexOf(document.activeElement);

  async function renew() {
    waiting = null;
    if (document.hidden || wanted <= shown()) return;
    // A choice that is being made is not taken away.
    if (document.activeElement && document.activeElement.closest("#view form")) return later();
    asked = Date.now();
    const address = new URL(location.href);
    address.searchParams.set("at_least", String(wanted));
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("view");
      if (!fresh) return;
      const [were, at] = [opened(), focused()];
      view().replaceWith(document.adoptNode(fresh));
      const now = [...view().querySelectorAll("details")];
      if (now.length === were.length) now.forEach((one, i) => { one.open = were[i]; });
      if (at >= 0) [...view().querySelectorAll("a, button, select, summary")][at]?.focus({ preventScroll: true });
      told.textContent = told.dataset.said;
      setTimeout(() => { told.textContent = ""; }, 4000);
    } catch {
      // The next change asks again.
    }
  }

  function later() {
    if (waiting === null) waiting = setTimeout(renew, Math.max(200, asked + apart - Date.now()));
  }

  function listen() {
    const stream = new EventSource("/v1/watch");
    stream.onmessage = (message) => {
      const position = Number(JSON.parse(message.data).as_of.position);
      if (position > wanted) wanted = position;
      if (wanted > shown()) later();
    };
    // The browser connects again by itself, unless it was refused for good: then we do, later.
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 15000);
    };
    window.addEventListener("pagehide", () => stream.close(), { once: true });
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted > shown()) later(); });
  // A page that comes back from the browser's store listens again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  // Frozen views do not move.
  if (!new URL(location.href).searchParams.get("review")) listen();
})();
