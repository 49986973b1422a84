// The palette over any page, the list of shortcuts, the own order of the sidebar. Without scripts: the search page.
(function () {
  "use strict";
  var box = document.getElementById("palette");
  if (!box || !box.showModal) return;
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var input = $("#palette-q"), list = $("#palette-list"), beside = $("[data-palette-preview]"), status = $("[data-palette-status]");
  var wide = matchMedia("(min-width: 900px)");
  var start = null, shown = "", timer, request, waiting = null, seen = {}, previewTimer, fetching = null;
  var frame = $(".tw-app"), letters = !(frame && frame.hasAttribute("data-no-keys"));

  // ---- opening ----
  function open(text) {
    if (box.open) { input.select(); return; }
    all("details.tw-pop[open]").forEach(function (menu) { menu.open = false; });
    input.value = text || "";
    if (start === null) fromPage(); else put(start, "");
    box.showModal();
    input.focus();
    if (start === null) prepare(); // the lines of the page itself stand there meanwhile
    if (input.value) ask();
  }
  function prepare() { // once a page: what is offered before anything is typed
    if (start !== null || fetching) return;
    fetching = get("/palette").then(function (html) {
      fetching = null; start = html;
      if (box.open && !input.value.trim()) put(html, "");
    }).catch(function () { fetching = null; });
  }
  function fromPage() {
    var group = document.createElement("div"), title = document.createElement("div");
    group.setAttribute("role", "group"); group.setAttribute("aria-labelledby", "pg0");
    title.className = "tw-menu-title"; title.id = "pg0"; title.setAttribute("role", "presentation"); title.textContent = list.dataset.go;
    group.appendChild(title);
    all(".tw-side .tw-nav a[href]").forEach(function (link, at) {
      var option = document.createElement("div"), label = link.textContent.trim();
      if (!label) return;
      option.setAttribute("role", "option"); option.id = "po" + (at + 1); option.setAttribute("aria-selected", "false");
      option.dataset.href = link.getAttribute("href");
      var icon = $("svg", link), span = document.createElement("span");
      if (icon) option.appendChild(icon.cloneNode(true));
      span.className = "tw-grow tw-cut"; span.textContent = label; option.appendChild(span);
      group.appendChild(option);
    });
    list.replaceChildren(group); shown = ""; mark(0);
  }
  function get(address, signal) {
    return fetch(address, { headers: { "Accept": "text/html", "HX-Request": "true" }, credentials: "same-origin", signal: signal })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); });
  }

  // ---- lines ----
  function options() { return all('[role="option"]:not([aria-disabled])', list); }
  function chosen() { return $('[role="option"][aria-selected="true"]', list); }
  function put(html, text) {
    list.innerHTML = html; // of our own server, which escapes what people typed
    shown = text; list.scrollTop = 0;
    var count = options().length;
    status.textContent = count ? status.dataset.some.replace("{n}", count) : status.dataset.none;
    mark(0);
  }
  function mark(at) {
    var lines = options();
    lines.forEach(function (each, index) { each.setAttribute("aria-selected", String(index === at)); });
    var line = lines[at];
    if (line) { input.setAttribute("aria-activedescendant", line.id); line.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
    preview(line);
  }
  function preview(line) {
    clearTimeout(previewTimer);
    var address = line && wide.matches ? line.dataset.preview : "";
    if (!address) { box.classList.remove("has-preview"); beside.replaceChildren(); return; }
    if (seen[address]) { beside.innerHTML = seen[address]; box.classList.add("has-preview"); return; }
    previewTimer = setTimeout(function () {
      get(address).then(function (html) {
        seen[address] = html;
        if (chosen() && chosen().dataset.preview === address) { beside.innerHTML = html; box.classList.add("has-preview"); }
      }).catch(function () {});
    }, 90);
  }
  function ask() {
    clearTimeout(timer);
    if (request) request.abort();
    var text = input.value.trim();
    if (!text) { waiting = null; if (start !== null) put(start, ""); else fromPage(); return; }
    timer = setTimeout(function () {
      var mine = request = new AbortController();
      get("/palette?q=" + encodeURIComponent(text), mine.signal).then(function (html) {
        if (mine !== request) return;
        put(html, text);
        if (waiting && waiting.text === text) { var how = waiting; waiting = null; go(chosen(), how.tab); }
      }).catch(function () {});
    }, 60);
  }
  function go(line, tab) {
    if (!line) return;
    var form = $("form", line);
    if (form) { HTMLFormElement.prototype.submit.call(form); return; }
    var address = line.dataset.href;
    if (tab) { window.open(address, "_blank", "noopener"); return; }
    box.close();
    location.href = address;
  }
  input.addEventListener("input", ask);
  input.addEventListener("keydown", function (event) {
    var count = options().length, at = options().indexOf(chosen());
    if (event.isComposing || event.keyCode === 229) return; // Enter that ends a word of an input method
    if (event.key === "ArrowDown" && count) { event.preventDefault(); mark((at + 1) % count); }
    else if (event.key === "ArrowUp" && count) { event.preventDefault(); mark((at + count - 1) % count); }
    else if (event.key === "Home" && count && event.ctrlKey) { event.preventDefault(); mark(0); }
    else if (event.key === "End" && count && event.ctrlKey) { event.preventDefault(); mark(count - 1); }
    else if (event.key === "Enter") {
      event.preventDefault();
      var text = input.value.trim(), tab = event.ctrlKey || event.metaKey;
      if (text !== shown) waiting = { text: text, tab: tab }; // quicker than the answer: it goes where the answer says
      else go(chosen(), tab);
    }
  });
  list.addEventListener("click", function (event) {
    var line = event.target.closest('[role="option"]:not([aria-disabled])');
    if (line) go(line, event.ctrlKey || event.metaKey);
  });
  list.addEventListener("auxclick", function (event) {
    var line = event.button === 1 && event.target.closest("[data-href]");
    if (line) go(line, true);
  });
  box.addEventListener("click", function (event) { if (event.target === box) box.close(); }); // beside it
  box.addEventListener("close", function () { waiting = null; if (request) request.abort(); clearTimeout(timer); });
  $("form", box).addEventListener("submit", function (event) { if (event.target.parentNode === box) event.preventDefault(); });
  $("[data-palette-close]").addEventListener("click", function () { box.close(); });

  // ---- what opens it: the box in the sidebar, the bar of a phone, keys ----
  var old = $("[data-palette-form]");
  if (old) {
    var find = $(".tw-find", old), button = document.createElement("button"), box0 = $("input", find);
    button.type = "button"; button.className = "tw-find"; button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-keyshortcuts", "Control+K Meta+K"); button.setAttribute("data-palette-open", "");
    var word = document.createElement("span"); word.className = "tw-grow tw-cut"; word.textContent = box0.placeholder;
    button.appendChild($("svg", find).cloneNode(true)); button.appendChild(word);
    var key = document.createElement("kbd"); key.setAttribute("aria-hidden", "true");
    key.textContent = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl K";
    button.appendChild(key);
    old.replaceWith(button);
  }
  all("[data-palette-open]").forEach(function (each) {
    each.addEventListener("click", function (event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault(); open("");
    });
    each.addEventListener("pointerenter", prepare, { once: true });
    each.addEventListener("focus", prepare, { once: true });
  });
  function typing(el) { return el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)); }
  document.addEventListener("keydown", function (event) {
    var mod = event.ctrlKey || event.metaKey;
    if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault(); event.stopImmediatePropagation();
      if (box.open) box.close(); else if (!$("dialog[open]")) open("");
      return;
    }
    if (mod || event.altKey || !letters || typing(event.target) || $("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault(); event.stopImmediatePropagation();
      var here = all('form[role="search"] input[name="q"]').filter(function (each) { return each.offsetParent && each !== input; })[0];
      if (here) { here.focus(); here.select(); } else open("");
    } else if (event.key === "?") { event.preventDefault(); keys(); }
  }, true);

  // ---- ? ----
  function keys() {
    get("/shortcuts").then(function (html) {
      var held = document.createElement("div");
      held.innerHTML = html;
      var dialog = $("dialog", held);
      if (!dialog || $("dialog[open]")) return;
      document.body.appendChild(dialog);
      dialog.addEventListener("close", function () { dialog.remove(); });
      dialog.addEventListener("click", function (event) { if (event.target === dialog || event.target.closest("[data-close]")) dialog.close(); });
      dialog.showModal();
    }).catch(function () {});
  }

  // ---- the sidebar in an own order: drag, or Alt and an arrow key ----
  ["favourite", "tab"].forEach(function (what) {
    var form = $('[data-arrange="' + what + '"]'), name = "data-" + what, held = null;
    function lines() { return all(".tw-side .tw-nav a[" + name + "]"); }
    if (!form || lines().length < 2) return;
    function keep(focused) {
      all('input[name="key"]', form).forEach(function (each) { each.remove(); });
      lines().forEach(function (each) {
        var field = document.createElement("input");
        field.name = "key"; field.value = each.getAttribute(name); form.appendChild(field);
      });
      fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin", redirect: "manual" }).catch(function () {});
      if (focused) focused.focus();
    }
    lines().forEach(function (line) {
      line.draggable = true;
      line.setAttribute("aria-keyshortcuts", "Alt+ArrowUp Alt+ArrowDown");
      line.addEventListener("keydown", function (event) {
        if (!event.altKey || event.ctrlKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
        event.preventDefault();
        var every = lines(), at = every.indexOf(line), other = every[at + (event.key === "ArrowUp" ? -1 : 1)];
        if (!other) return;
        if (event.key === "ArrowUp") other.before(line); else other.after(line);
        keep(line);
      });
      line.addEventListener("dragstart", function (event) { held = line; line.classList.add("is-held"); event.dataTransfer.effectAllowed = "move"; });
      line.addEventListener("dragend", function () { held = null; clean(); line.classList.remove("is-held"); });
      line.addEventListener("dragover", function (event) {
        if (!held || held === line) return;
        event.preventDefault(); clean();
        line.classList.add(after(event, line) ? "is-drop-after" : "is-drop");
      });
      line.addEventListener("drop", function (event) {
        if (!held || held === line) return;
        event.preventDefault();
        if (after(event, line)) line.after(held); else line.before(held);
        clean(); keep();
      });
    });
    function after(event, line) { var at = line.getBoundingClientRect(); return event.clientY > at.top + at.height / 2; }
    function clean() { lines().forEach(function (each) { each.classList.remove("is-drop", "is-drop-after"); }); }
  });
})();
