/* tillside: reports what was really seen and clicked; docs/feedback.md says how a page uses it. */
(() => {
  "use strict";
  const own = document.currentScript, said = own.dataset, timers = new WeakMap(), url = new URL("/v1/events", own.src);
  const ITEM = "[data-tillside] [data-item]";
  let waiting = [], timer = 0;
  if (said.token) url.searchParams.set("token", said.token);

  const later = (ms) => { timer ||= setTimeout(send, ms); };
  function send(last) { // the last ones go by beacon, which outlives the page; others are sent again until they are taken
    clearTimeout(timer);
    timer = 0;
    const part = waiting.splice(0, 100), body = JSON.stringify(part);
    if (!part.length) return;
    if (last === true && navigator.sendBeacon(url, body)) return send(true);
    const again = () => { waiting = [...part, ...waiting].slice(0, 1000); later(5000); };
    fetch(url, {method: "POST", body, keepalive: true, headers: {"content-type": "text/plain"}})
      .then((r) => r.status == 429 || r.status > 499 ? again() : send(), again);
  }
  function add(kind, more) {
    const {shopper, session, consent} = said;
    const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
    waiting.push({event_id: id, kind, time: Date.now(), shopper, session, consent: consent && consent == "true", ...more});
    waiting.length > 49 ? send() : later(1000);
  }
  function slot(item) {
    const list = item.closest("[data-tillside]"), all = [...list.querySelectorAll("[data-item]")];
    return {
      recommendation_id: list.dataset.tillside,
      placement: list.dataset.placement,
      item: item.dataset.item,
      position: +item.dataset.position || all.indexOf(item) + 1,
    };
  }
  // Seen: half of it, for a second
  const eye = new IntersectionObserver((entries) => entries.forEach(({target, intersectionRatio}) => {
    clearTimeout(timers.get(target));
    if (intersectionRatio >= 0.5) timers.set(target, setTimeout(() => {
      if (!target.matches(ITEM)) return;
      eye.unobserve(target);
      add("impression", slot(target));
    }, 1000));
  }), {threshold: [0, 0.5]});
  const look = (root) => {
    if (root.matches?.(ITEM)) eye.observe(root);
    root.querySelectorAll?.(ITEM).forEach((item) => eye.observe(item));
  };
  addEventListener("click", ({target}) => {
    const item = target.closest?.(ITEM), dismiss = target.closest?.("[data-dismiss]");
    if (!item) return;
    add(dismiss ? "dismiss" : "click", {...slot(item), reason: dismiss?.dataset.dismiss || undefined});
  }, true);
  addEventListener("pagehide", () => send(true));
  document.addEventListener("visibilitychange", () => document.hidden && send(true));
  new MutationObserver((all) => all.forEach((change) => change.addedNodes.forEach(look)))
    .observe(document, {childList: true, subtree: true});
  look(document);
  window.tillside = {add, send};
})();
