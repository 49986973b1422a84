// What some field types do with a script; without it each is a plain input that the server understands.
(function () {
  "use strict";
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };

  // ---- colour: the browser's picker beside the text ----
  function tint(pick) {
    if (!pick.hidden) return;
    var text = document.getElementById(pick.dataset.tint);
    function dim() { pick.classList.toggle("is-blank", !text.value); }
    pick.hidden = false; dim();
    text.addEventListener("input", dim);
    pick.addEventListener("input", function () {
      text.value = pick.value;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
    text.addEventListener("input", function () { if (/^#[0-9a-f]{6}$/i.test(text.value)) pick.value = text.value; });
  }

  // ---- rich text: an editor over the text area of HTML; what it posts the server cleans again ----
  var TAGS = /^(P|BR|B|STRONG|I|EM|U|S|H2|H3|UL|OL|LI|BLOCKQUOTE|PRE|CODE|A|HR)$/;
  var GONE = /^(SCRIPT|STYLE|TEMPLATE|SVG|MATH|IFRAME|OBJECT|EMBED|LINK|META|TITLE)$/;
  var SAFE = /^(https?:|mailto:|tel:)/i;
  function copy(from, to) {
    Array.prototype.forEach.call(from.childNodes, function (node) {
      if (node.nodeType === 3) { to.appendChild(document.createTextNode(node.data)); return; }
      if (node.nodeType !== 1) return;
      var name = node.nodeName.toUpperCase(), href = node.getAttribute("href") || "";
      if (GONE.test(name)) return;
      if (name === "DIV") name = "P";
      if (!TAGS.test(name)) { copy(node, to); return; }
      var made = document.createElement(name);
      if (name === "A" && SAFE.test(href)) made.setAttribute("href", href);
      to.appendChild(made); copy(node, made);
    });
  }
  function parsed(html) { return new DOMParser().parseFromString(html, "text/html").body; } // runs and loads nothing
  function rich(box) {
    if (box.classList.contains("is-ready")) return;
    var area = box.querySelector("textarea"), bar = box.querySelector("[role=toolbar]"), tools = all("button", bar);
    var edit = document.createElement("div");
    edit.className = "form-control tw-rich tw-richedit"; edit.contentEditable = "true";
    edit.setAttribute("role", "textbox"); edit.setAttribute("aria-multiline", "true"); edit.setAttribute("aria-label", box.dataset.rich);
    ["aria-describedby", "aria-invalid"].forEach(function (name) { if (area.hasAttribute(name)) edit.setAttribute(name, area.getAttribute(name)); });
    if (area.required) edit.setAttribute("aria-required", "true");
    copy(parsed(area.value), edit);
    area.tabIndex = -1; area.setAttribute("aria-hidden", "true");
    area.addEventListener("focus", function () { edit.focus(); });
    box.insertBefore(edit, area); box.classList.add("is-ready"); bar.hidden = false;
    document.execCommand("defaultParagraphSeparator", false, "p");

    function keep() {
      area.value = edit.textContent.trim() || edit.querySelector("hr") ? edit.innerHTML : "";
      area.dispatchEvent(new Event("input", { bubbles: true }));
      mark();
    }
    function block() { return String(document.queryCommandValue("formatBlock")).toLowerCase(); }
    function mark() {
      var on = { bold: "bold", italic: "italic", underline: "underline", strike: "strikeThrough", ul: "insertUnorderedList", ol: "insertOrderedList" };
      tools.forEach(function (tool) {
        var what = tool.dataset.do;
        if (on[what]) tool.setAttribute("aria-pressed", String(document.queryCommandState(on[what])));
        else if (what === "h2" || what === "quote") tool.setAttribute("aria-pressed", String(block() === (what === "h2" ? "h2" : "blockquote")));
      });
    }
    function run(what) {
      var names = { strike: "strikeThrough", ul: "insertUnorderedList", ol: "insertOrderedList" };
      edit.focus();
      if (what === "link") {
        var address = window.prompt(bar.dataset.ask, "https://");
        if (address === null) return;
        if (SAFE.test(address.trim())) document.execCommand("createLink", false, address.trim());
        else document.execCommand("unlink");
      } else if (what === "h2" || what === "quote") {
        var tag = what === "quote" ? "blockquote" : "h2";
        document.execCommand("formatBlock", false, block() === tag ? "p" : tag);
      } else if (what === "clear") {
        document.execCommand("removeFormat"); document.execCommand("unlink"); document.execCommand("formatBlock", false, "p");
      } else document.execCommand(names[what] || what);
      keep();
    }
    edit.addEventListener("input", keep);
    ["keyup", "mouseup", "focus"].forEach(function (name) { edit.addEventListener(name, mark); });
    edit.addEventListener("blur", function () { area.dispatchEvent(new Event("change", { bubbles: true })); });
    edit.addEventListener("paste", function (event) {
      var html = event.clipboardData.getData("text/html"), holder = document.createElement("div");
      event.preventDefault();
      if (html) copy(parsed(html), holder); else holder.textContent = event.clipboardData.getData("text/plain");
      document.execCommand("insertHTML", false, html ? holder.innerHTML : holder.innerHTML.replace(/\n/g, "<br>"));
    });
    edit.addEventListener("drop", function (event) { event.preventDefault(); });
    bar.addEventListener("mousedown", function (event) { event.preventDefault(); }); // the selection stays
    bar.addEventListener("click", function (event) { var tool = event.target.closest("[data-do]"); if (tool) run(tool.dataset.do); });
    bar.addEventListener("keydown", function (event) {
      var at = tools.indexOf(document.activeElement), to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tools.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      to = (to + tools.length) % tools.length;
      tools.forEach(function (tool, i) { tool.tabIndex = i === to ? 0 : -1; });
      tools[to].focus();
    });
  }

  // ---- copy a value ----
  function copies(button) {
    if (!navigator.clipboard || !button.hidden) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(button.dataset.copy).then(function () {
        var said = button.getAttribute("aria-label");
        button.setAttribute("aria-label", button.dataset.done); button.title = button.dataset.done; button.classList.add("is-done");
        setTimeout(function () { button.setAttribute("aria-label", said); button.title = said; button.classList.remove("is-done"); }, 2000);
      });
    });
  }

  function ready() {
    all("[data-copy]").forEach(copies);
    all("[data-tint]").forEach(tint); all("[data-rich]").forEach(rich); }
  document.addEventListener("tw:fields", ready);
  ready();
})();
