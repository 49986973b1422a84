// Progressive enhancement of the generated pages. Everything here also works without it.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var typing = function (el) { return el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)); };

  // ---- menus: one open at a time, Esc and a click elsewhere close them ----
  document.addEventListener("click", function (event) {
    all("details.tw-pop[open]").forEach(function (menu) { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      var open = $("details.tw-pop[open]");
      if (open) { open.open = false; $("summary", open).focus(); event.preventDefault(); return; }
    }
    var mod = event.ctrlKey || event.metaKey;
    if (mod && event.key.toLowerCase() === "k") { focusSearch(event); return; }
    if (mod && event.key.toLowerCase() === "s") {
      var save = $("[data-save]");
      if (save) { event.preventDefault(); save.click(); }
      return;
    }
    if (mod && !event.shiftKey && event.key.toLowerCase() === "z") { // takes back what the last notice tells
      var back = $(".tw-toast [data-take-back]"), at = event.target;
      if (back && !(typing(at) && !/^(checkbox|radio)$/.test(at.type)) && !event.defaultPrevented) { event.preventDefault(); back.click(); }
      return;
    }
    if (mod || event.altKey || typing(event.target) || $("[data-no-keys]") || $("dialog[open]")) return;
    if (event.key === "/") { focusSearch(event); return; }
    var link = /^[a-z]$/.test(event.key) && $('[data-key="' + event.key + '"]');
    if (link) { event.preventDefault(); link.click(); }
  });
  function focusSearch(event) {
    var box = all('input[name="q"]').filter(function (each) { return each.offsetParent; })[0];
    if (box) { event.preventDefault(); box.focus(); box.select(); } else { location.href = "/search"; }
  }

  // ---- the summary of faults takes the focus ----
  var faults = $("[data-focus]");
  if (faults) faults.focus();

  // ---- password: show ----
  all("[data-reveal]").forEach(function (button) {
    var input = document.getElementById(button.dataset.reveal);
    button.hidden = false;
    button.addEventListener("click", function () {
      var shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
      input.focus();
    });
  });

  // ---- toasts go after a while, unless they are looked at ----
  all("[data-toast]").forEach(function (toast) {
    var timer;
    function start() { timer = setTimeout(function () { toast.remove(); }, $("form", toast) ? 30000 : 8000); }
    toast.addEventListener("mouseenter", function () { clearTimeout(timer); });
    toast.addEventListener("focusin", function () { clearTimeout(timer); });
    toast.addEventListener("mouseleave", start);
    start();
  });

  // ---- back to a page that the browser kept: its records may be others by now ----
  window.addEventListener("pageshow", function (event) {
    var way = performance.getEntriesByType("navigation")[0], kept = event.persisted || way && way.type === "back_forward" && !way.transferSize;
    if (kept && !$("form[data-form]")) location.reload(); // a form keeps what was typed
  });

  // ---- forms: count what is unsaved, guard against leaving ----
  all("form[data-form]").forEach(function (form) {
    var status = $("[data-unsaved]"), dot = $("[data-unsaved-dot]"), sending = false;
    var first = snapshot(), kept = status ? status.textContent.trim() : "";
    function snapshot() {
      var map = {};
      all("input, textarea, select", form).forEach(function (el) {
        if (!el.name || el.name.charAt(0) === "_" || el.type === "hidden" && !el.closest(".tw-lookup, [data-files]")) return;
        if (/\.text$/.test(el.name)) return;
        if (el.hasAttribute("data-many")) map[el.name] = (map[el.name] || "") + (el.checked ? el.value + ";" : "");
        else if (el.type === "checkbox") map[el.name] = String(el.checked);
        else if (el.type === "radio") { if (el.checked) map[el.name] = el.value; }
        else map[el.name] = el.value;
      });
      return map;
    }
    function changes() {
      var now = snapshot(), count = 0;
      Object.keys(now).forEach(function (name) { if (now[name] !== first[name]) count += 1; });
      Object.keys(first).forEach(function (name) { if (!(name in now)) count += 1; }); // of rows that were removed
      return count;
    }
    function update() {
      if (!status) return;
      var count = changes();
      dot.hidden = !count;
      status.textContent = count ? (count === 1 ? status.dataset.one : status.dataset.many.replace("{n}", count)) : kept;
    }
    form.addEventListener("input", update);
    form.addEventListener("change", update);
    form.addEventListener("submit", function () { sending = true; });
    window.addEventListener("beforeunload", function (event) { if (!sending && changes()) event.preventDefault(); });
    window.addEventListener("pageshow", function () { sending = false; });
    document.addEventListener("click", function (event) { if (event.target.closest("[data-leave]")) sending = true; });
  });

  // ---- lookups: a text input becomes a combobox ----
  var made = 0;
  function lookup(box) {
    var number = ++made;
    var input = $('input[type="text"]', box), hidden = $('input[type="hidden"]', box), clear = $(".tw-clear", box);
    var list = document.createElement("ul"), menu = document.createElement("div");
    var prefix = "lk" + number, timer, asked = 0, at = -1, chosen = input.value, request;
    menu.className = "tw-menu"; menu.hidden = true;
    list.id = prefix; list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", (input.labels[0] || {}).textContent || "");
    menu.appendChild(list); box.appendChild(menu);
    input.setAttribute("role", "combobox"); input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false"); input.setAttribute("aria-controls", prefix);
    clear.hidden = !hidden.value;

    function options() { return all('[role="option"]', list); }
    function show(open) { menu.hidden = !open; input.setAttribute("aria-expanded", String(open)); if (!open) mark(-1); else if (box.closest("[data-lines]")) afloat(); }
    // In a table that scrolls by itself the menu stands over it.
    function afloat() {
      var at = box.getBoundingClientRect(), below = window.innerHeight - at.bottom;
      menu.classList.add("is-afloat");
      menu.style.left = Math.min(at.left, window.innerWidth - 268) + "px"; menu.style.width = Math.max(at.width, 260) + "px";
      menu.style.top = below > 240 ? at.bottom + 2 + "px" : "auto"; menu.style.bottom = below > 240 ? "auto" : window.innerHeight - at.top + 2 + "px";
    }
    function mark(index) {
      at = index;
      options().forEach(function (option, i) {
        option.setAttribute("aria-selected", String(i === index));
        if (i === index) option.scrollIntoView({ block: "nearest" });
      });
      if (index < 0) input.removeAttribute("aria-activedescendant");
      else input.setAttribute("aria-activedescendant", options()[index].id);
    }
    function take(option) {
      if (option.dataset.new) { // a panel over the page; the form behind it stays as it is
        show(false);
        document.dispatchEvent(new CustomEvent("tw:quick", { detail: { href: option.dataset.new, away: option.dataset.away, back: input, done: function (said) {
          hidden.value = said.id; input.value = chosen = said.name; clear.hidden = false;
          hidden.dispatchEvent(new Event("change", { bubbles: true }));
        } } }));
        return;
      }
      hidden.value = option.dataset.id; input.value = chosen = option.dataset.name;
      clear.hidden = false; show(false);
      hidden.dispatchEvent(new Event("change", { bubbles: true }));
    }
    function empty() {
      hidden.value = ""; input.value = chosen = ""; clear.hidden = true;
      hidden.dispatchEvent(new Event("change", { bubbles: true }));
    }
    function ask() {
      var mine = ++asked;
      if (request) request.abort();
      request = new AbortController();
      var text = input.value === chosen ? "" : input.value;
      // A panel has no panel of its own.
      var offer = document.documentElement.hasAttribute("data-quick-ready") && !box.closest("dialog") ? "&new=1" : "";
      fetch(box.dataset.lookup + "?q=" + encodeURIComponent(text) + "&prefix=" + prefix + offer,
        { headers: { "HX-Request": "true" }, signal: request.signal, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
        .then(function (html) {
          if (mine !== asked) return;
          list.innerHTML = html; // the server escapes what people typed
          show(document.activeElement === input);
          if (text && options().length) mark(0);
        }).catch(function () {});
    }
    function soon() { clearTimeout(timer); timer = setTimeout(ask, 120); }
    input.addEventListener("input", function () {
      if (input.value.trim() === "") empty();
      soon();
    });
    input.addEventListener("click", function () { if (menu.hidden) ask(); });
    input.addEventListener("keydown", function (event) {
      var count = options().length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (menu.hidden) { ask(); return; }
        if (count) mark((at + (event.key === "ArrowDown" ? 1 : count - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % count);
      } else if (event.key === "Enter" && !menu.hidden) {
        event.preventDefault();
        if (at >= 0) take(options()[at]);
      } else if (event.key === "Escape" && !menu.hidden) {
        event.preventDefault(); event.stopPropagation();
        input.value = chosen; show(false);
      }
    });
    input.addEventListener("blur", function () {
      setTimeout(function () {
        show(false);
        // A text that names nothing stays: the server says which record it means or asks.
        if (input.value === chosen) clear.hidden = !hidden.value;
      }, 150);
    });
    list.addEventListener("mousedown", function (event) {
      var option = event.target.closest('[role="option"]');
      if (option) { event.preventDefault(); take(option); input.focus(); }
    });
    clear.addEventListener("click", function () { empty(); input.focus(); });
  }
  function lookups() {
    all("[data-lookup]:not([data-ready])").forEach(function (box) { box.setAttribute("data-ready", ""); lookup(box); });
  }
  document.addEventListener("tw:fields", lookups);
  lookups();

  // ---- fields that come and go: the server says which, by the same form ----
  all("form[data-dynamic]").forEach(function (form) {
    var timer, asked = 0;
    form.addEventListener("change", function () { clearTimeout(timer); timer = setTimeout(refresh, 150); });
    function inputs(from) { // which there are, which must be filled, and what they offer
      return all('[id^="f-"]', from).map(function (el) {
        return el.id + (el.required ? "*" : "") + (el.options ? all("option", el).map(function (each) { return each.value; }) : el.type === "checkbox" ? el.value : "");
      }).join();
    }
    function refresh() {
      var mine = ++asked, data = new FormData(form), inside = $("[data-sections]", form), before = inputs(inside);
      data.set("_then", "edit");
      fetch(form.getAttribute("action"), { // a field may be named "action"
        method: "POST", body: new URLSearchParams(data), headers: { "Accept": "text/html" }, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
        .then(function (html) {
          var fresh = new DOMParser().parseFromString(html, "text/html"), next = $("[data-sections]", fresh);
          // With the same fields nothing moves under the person's hands.
          if (mine !== asked || !next || inputs(next) === inputs(inside)) return;
          if (inputs(inside) !== before) { refresh(); return; } // a row came or went while it was asked
          var focused = document.activeElement && document.activeElement.id;
          all("input, textarea, select", inside).forEach(function (el) { // typed since it was asked
            var twin = el.id && next.querySelector("#" + CSS.escape(el.id));
            if (!twin) return;
            if (el.type === "checkbox" || el.type === "radio") { if (twin.value === el.value) twin.checked = el.checked; }
            else if (!el.options || all("option", twin).some(function (each) { return each.value === el.value; })) twin.value = el.value;
          });
          inside.replaceChildren.apply(inside, Array.prototype.slice.call(next.childNodes));
          document.dispatchEvent(new CustomEvent("tw:fields"));
          var back = focused && document.getElementById(focused);
          if (back) back.focus();
        }).catch(function () {});
    }
  });
})();
