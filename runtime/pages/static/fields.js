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

  // ---- address: parts below the line, which stays the value ----
  var regions = null; // asked for once, when the first parts are opened
  function known() {
    if (!regions) regions = fetch("/address/regions", { credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    });
    regions.catch(function () { regions = null; });
    return regions;
  }
  function address(box) {
    var more = box.querySelector(".tw-parts"), line = box.querySelector("input[name]");
    if (!more || !more.hidden) return;
    var region = box.querySelector("[data-region]"), home = box.dataset.address, last = null, data = null, mine = false;
    function part(name, kind) { return box.querySelector((kind || "") + '[data-part="' + name + '"]'); }
    function foreign() { return part("country", "select").value !== "CN"; }
    function fill(select, rows, value) {
      select.replaceChildren.apply(select, [new Option(box.dataset.any, "")].concat(rows.map(function (row) {
        return new Option(row[1], row[0]);
      })));
      if (value && !rows.some(function (row) { return row[0] === value; })) select.appendChild(new Option(value, value));
      select.value = value;
    }
    function named(rows, name) { return (rows || []).filter(function (row) { return row[1] === name; })[0]; }
    function byName(rows) { return (rows || []).map(function (row) { return [row[1], row[1]]; }); }
    function show(value) { // what the selects offer follows from what stands above them
      var province, city, away = (value.country || home) !== "CN";
      fill(part("country", "select"), data.countries, value.country || home);
      province = named(data.regions, value.province);
      city = province && named(province[2], value.city);
      fill(part("province", "select"), byName(data.regions), value.province || "");
      fill(part("city", "select"), byName(province && province[2]), value.city || "");
      fill(part("district", "select"), byName(city && city[2]), value.district || "");
      ["province", "city", "district"].forEach(function (name) {
        part(name, "select").hidden = away; part(name, "input").hidden = !away;
        part(name, "input").value = value[name] || "";
      });
      part("street", "input").value = value.street || ""; part("postal_code", "input").value = value.postal_code || "";
      region.closest(".tw-lookup").hidden = away;
      line.classList.toggle("tw-sr", away); line.tabIndex = away ? -1 : 0;
      if (away) more.open = true;
    }
    function read() {
      var kind = foreign() ? "input" : "select", value = { country: part("country", "select").value };
      ["province", "city", "district"].forEach(function (name) { value[name] = part(name, kind).value.trim(); });
      ["street", "postal_code"].forEach(function (name) { value[name] = part(name, "input").value.trim(); });
      return value;
    }
    function write(value) {
      var said = "";
      if (value.country !== "CN") {
        var filled = Object.keys(value).filter(function (name) { return value[name] && name !== "country"; });
        if (filled.length) said = JSON.stringify(value);
      } else {
        said = value.province + (value.city === value.province ? "" : value.city) + value.district + value.street;
        said = (said + " " + value.postal_code).trim();
      }
      mine = true; line.value = last = said;
      ["input", "change"].forEach(function (name) { line.dispatchEvent(new Event(name, { bubbles: true })); });
      mine = false;
    }
    function look() { // the line as parts: the server takes it apart
      if (mine || line.value === last) return;
      last = line.value;
      known().then(function (found) {
        data = found;
        if (line.value.charAt(0) === "{") { try { show(JSON.parse(line.value)); return; } catch (wrong) { /* as a line */ } }
        return fetch("/address/parts?line=" + encodeURIComponent(line.value), { credentials: "same-origin" })
          .then(function (answer) { return answer.json(); }).then(show);
      }).catch(function () { last = null; });
    }
    more.hidden = false;
    more.addEventListener("toggle", function () { if (more.open) look(); });
    line.addEventListener("change", function () { if (more.open || line.value.charAt(0) === "{") look(); });
    if (line.value.charAt(0) === "{") look();
    more.addEventListener("change", function (event) {
      var name = event.target.dataset.part, value = read(), province;
      event.stopPropagation();
      if (!data) return;
      if (event.target === region) {
        if (region.value) data.regions.forEach(function (first) {
          if (first[0].slice(0, 2) !== region.value.slice(0, 2)) return;
          value.province = first[1]; value.city = value.district = "";
          first[2].forEach(function (second) {
            if (second[0] === region.value) value.city = second[1];
            (second[2] || []).forEach(function (third) {
              if (third[0] === region.value) { value.city = second[1]; value.district = third[1]; }
            });
          });
        });
      } else if (name === "country") value.province = value.city = value.district = "";
      else if (name === "province" && value.country === "CN") {
        province = named(data.regions, value.province); value.district = "";
        value.city = province && province[2].length === 1 ? province[2][0][1] : "";
      } else if (name === "city" && value.country === "CN") value.district = "";
      show(value); write(value);
    });
    more.addEventListener("input", function (event) { event.stopPropagation(); });
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
    all("[data-address]").forEach(address);
    all("[data-tint]").forEach(tint); all("[data-rich]").forEach(rich); }
  document.addEventListener("tw:fields", ready);
  ready();
})();
