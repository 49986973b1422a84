// Files: sent as soon as they are chosen, dropped or pasted. A field holds them in its hidden input until the form
// is saved; attachments stand in the record at once.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var fill = function (text, name) { return (text || "").replace("{name}", name); };
  var UNITS = [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]];
  function sized(bytes) {
    for (var i = 0; i < UNITS.length; i += 1) if (bytes >= UNITS[i][0]) return (bytes / UNITS[i][0]).toFixed(1).replace(/\.0$/, "") + " " + UNITS[i][1];
    return bytes + " B";
  }
  function tell(text) {
    var live = $("#tw-files-live");
    if (!live) {
      live = document.createElement("div"); live.id = "tw-files-live"; live.className = "tw-sr"; live.setAttribute("role", "status");
      document.body.appendChild(live);
    }
    live.textContent = text;
  }
  function csrf() { var found = $('input[name="_csrf"]'); return found ? found.value : ""; }
  function make(tag, css, text) {
    var made = document.createElement(tag);
    if (css) made.className = css;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function note(box, text) {
    var said = $(".tw-filenote", box);
    said.textContent = text; said.hidden = !text;
  }

  var SVG = "http://www.w3.org/2000/svg", sprite = "";
  function icon(name, css) {
    var made = document.createElementNS(SVG, "svg"), use = document.createElementNS(SVG, "use");
    made.setAttribute("class", css || "icon"); made.setAttribute("aria-hidden", "true");
    use.setAttribute("href", sprite + "#" + name);
    made.appendChild(use);
    return made;
  }

  // ---- sending one file, with its line and its bar ----
  function lineFor(box, list, file) {
    var line = make("li", "tw-file is-sending"), words = make("span", "tw-filewords"), bar = make("progress");
    sprite = box.dataset.sprite;
    line.setAttribute("data-uploading", "");
    bar.max = 100; bar.value = 0; bar.setAttribute("aria-label", fill(box.dataset.sending, file.name));
    words.appendChild(make("span", "tw-filename", file.name)); words.appendChild(bar);
    line.appendChild(bare("upload")); line.appendChild(words);
    list.hidden = false; list.appendChild(line);
    return line;
  }
  function send(box, line, file, given, done) {
    var bar = $("progress", line);
    var data = new FormData(), request = new XMLHttpRequest();
    Object.keys(given).forEach(function (key) { data.append(key, given[key]); });
    data.append("file", file, file.name);
    request.open("POST", "/api/v1/files");
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", function (event) { if (event.lengthComputable) bar.value = 100 * event.loaded / event.total; });
    function end(ok) {
      line.remove();
      if (ok) { done(request.response); return; }
      var said = request.response || {}, why = said.faults ? said.faults.map(function (each) { return each.message; }).join(" ") : said.detail;
      note(box, why || fill(box.dataset.away, file.name));
      done(null);
    }
    request.addEventListener("load", function () { end(request.status === 201); });
    ["error", "abort", "timeout"].forEach(function (name) { request.addEventListener(name, function () { end(false); }); });
    request.send(data);
    tell(fill(box.dataset.sending, file.name));
  }

  // One after the other, in the order in which they were chosen; those that wait are seen too.
  function each(box, list, files, given, done, end) {
    var lines = files.map(function (file) { return lineFor(box, list, file); });
    (function next(at) {
      if (at === files.length) { if (end) end(); return; }
      send(box, lines[at], files[at], given, function (said) { if (said) done(said); next(at + 1); });
    })(0);
  }

  // ---- a field ----
  function held(box) { try { return JSON.parse($("input[type=hidden]", box).value || "[]"); } catch (error) { return []; } }
  function hold(box, files) {
    var input = $("input[type=hidden]", box);
    input.value = files.length ? JSON.stringify(files) : "";
    ["input", "change"].forEach(function (name) { input.dispatchEvent(new Event(name, { bubbles: true })); });
  }
  function bare(name) { var made = make("span", "tw-fileface"); made.appendChild(icon(name, "icon icon-20")); return made; }
  function face(said) {
    if (!said.has_preview) return bare(/\.pdf$/i.test(said.name) ? "file-type-pdf" : /^image\//.test(said.type) ? "photo" : "file");
    var made = make("a", "tw-fileface"), image = make("img");
    made.href = "/files/" + said.id + "/preview"; made.setAttribute("data-zoom", said.name); made.setAttribute("aria-label", said.name);
    image.src = "/files/" + said.id + "/thumb"; image.alt = ""; image.width = image.height = 40;
    made.appendChild(image);
    return made;
  }
  function lineOf(box, said) {
    var line = make("li", "tw-file"), words = make("span", "tw-filewords"), link = make("a", "tw-filename", said.name);
    var remove = make("button", "btn btn-quiet btn-icon btn-sm"), text = fill(box.dataset.remove, said.name);
    line.dataset.file = said.id;
    link.href = "/files/" + said.id; link.setAttribute("download", "");
    words.appendChild(link); words.appendChild(make("span", "tw-3 tw-num", sized(said.size)));
    remove.appendChild(icon("x", "icon icon-14"));
    remove.type = "button"; remove.setAttribute("data-file-remove", ""); remove.setAttribute("aria-label", text); remove.title = text;
    line.appendChild(face(said)); line.appendChild(words); line.appendChild(remove);
    return line;
  }
  function intoField(box, files) {
    var most = Number(box.dataset.most), there = held(box), list = $(".tw-filelist", box), at = box.dataset.files.split(".");
    note(box, "");
    if (most === 1 && there.length && files.length === 1 && !$("[data-uploading]", box)) { hold(box, []); list.replaceChildren(); there = []; }
    if (there.length + all("[data-uploading]", box).length + files.length > most) { note(box, box.dataset.tooMany); return; }
    each(box, list, files, { object: at[0], field: at[1] }, function (said) {
      list.insertBefore(lineOf(box, said), $("[data-uploading]", list));
      hold(box, held(box).concat([[said.id, said.name, said.type, said.size, said.has_preview]]));
      tell(fill(box.dataset.sent, said.name));
    });
  }
  function outOfField(button) {
    var box = button.closest("[data-files]"), line = button.closest("[data-file]"), id = line.dataset.file;
    var name = $(".tw-filename", line).textContent;
    $("input[type=file]", box).focus(); // an editor in place closes when it loses the focus
    line.remove(); note(box, "");
    hold(box, held(box).filter(function (each) { return each[0] !== id; }));
    tell(fill(box.dataset.removed, name));
  }

  // ---- attachments ----
  function ask(part, method, path, body) {
    return fetch(part.dataset.href + path, {
      method: method, credentials: "same-origin", body: body ? JSON.stringify(body) : undefined,
      headers: { "Accept": "application/json", "Content-Type": "application/json", "X-CSRFToken": csrf() }
    }).then(function (answer) {
      if (answer.ok) return;
      return answer.json().then(function (said) { throw new Error(said.detail || ""); });
    });
  }
  function fresh(then) {
    fetch(location.href, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { return answer.text(); })
      .then(function (html) {
        var page = new DOMParser().parseFromString(html, "text/html");
        ["[data-attachments]", "[data-days]"].forEach(function (selector) {
          var old = $(selector), now = $(selector, page);
          if (old && now && !$("[data-uploading]", old)) old.replaceWith(now);
        });
        if (then) then($("[data-attachments]"));
      }).catch(function () { location.reload(); });
  }
  function attach(part, files) {
    var ids = [], names = [];
    note(part, "");
    each(part, $("[data-attaching]", part), files, {}, function (said) { ids.push(said.id); names.push(said.name); }, function () {
        if (!ids.length) return;
        ask(part, "POST", "", { files: ids })
          .then(function () { var kept = $(".tw-filenote", part).textContent; tell(names.map(function (name) { return fill(part.dataset.attached, name); }).join(" ")); fresh(function (now) { if (kept) note(now, kept); }); })
          .catch(function (error) { note(part, error.message || fill(part.dataset.away, names[0])); });
    });
  }
  function detach(button) {
    var part = button.closest("[data-attachments]"), line = button.closest("[data-file]"), id = line.dataset.file;
    var name = $(".tw-filename", line).textContent;
    ask(part, "DELETE", "/" + id).then(function () {
      fresh(function (now) {
        var said = make("p", "tw-hint tw-row", fill(part.dataset.deleted, name) + " "), back = make("button", "btn btn-sm", part.dataset.restore);
        back.type = "button"; back.setAttribute("data-attachment-restore", id);
        said.setAttribute("role", "status"); said.appendChild(back);
        $("header", now).after(said); back.focus();
      });
    }).catch(function (error) { note(part, error.message); });
  }

  // ---- hands ----
  function place(target) { return target && target.closest && target.closest("[data-files], [data-attachments][data-href]"); }
  function take(box, files) {
    if (!files.length) return;
    if (box.hasAttribute("data-files")) intoField(box, files); else attach(box, files);
  }
  document.addEventListener("change", function (event) {
    var box = event.target.type === "file" && place(event.target);
    if (!box) return;
    var files = Array.prototype.slice.call(event.target.files);
    event.target.value = "";
    take(box, files);
  });
  ["dragenter", "dragover"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var box = place(event.target), types = event.dataTransfer ? Array.prototype.slice.call(event.dataTransfer.types) : [];
      if (types.indexOf("Files") < 0) return;
      event.preventDefault(); // beside a place it does nothing, rather than open the file in place of the page
      event.dataTransfer.dropEffect = box ? "copy" : "none";
      all("[data-files].is-over, [data-attachments].is-over").forEach(function (one) { if (one !== box) one.classList.remove("is-over"); });
      if (box) box.classList.add("is-over");
    });
  });
  document.addEventListener("dragleave", function (event) { if (!event.relatedTarget) all("[data-files].is-over, [data-attachments].is-over").forEach(function (each) { each.classList.remove("is-over"); }); });
  document.addEventListener("drop", function (event) {
    var box = place(event.target);
    all("[data-files].is-over, [data-attachments].is-over").forEach(function (each) { each.classList.remove("is-over"); });
    if (!event.dataTransfer || !event.dataTransfer.files.length) return;
    event.preventDefault();
    if (box) take(box, Array.prototype.slice.call(event.dataTransfer.files));
  });
  document.addEventListener("paste", function (event) {
    var files = event.clipboardData ? Array.prototype.slice.call(event.clipboardData.files) : [];
    if (!files.length) return;
    var box = place(event.target);
    if (!box && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName) && !event.target.isContentEditable && !$("dialog[open]")) box = $("[data-attachments][data-href]");
    if (!box) return;
    event.preventDefault();
    take(box, files);
  });
  document.addEventListener("click", function (event) {
    var target = event.target.closest("[data-file-remove], [data-attachment-delete], [data-attachment-restore], [data-zoom], [data-zoom-close]");
    if (!target) return;
    if (target.hasAttribute("data-file-remove")) { outOfField(target); return; }
    if (target.hasAttribute("data-attachment-delete")) { detach(target); return; }
    if (target.hasAttribute("data-attachment-restore")) {
      var part = target.closest("[data-attachments]");
      ask(part, "POST", "/" + target.getAttribute("data-attachment-restore") + "/restore").then(function () { fresh(); }).catch(function (error) { note(part, error.message); });
      return;
    }
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (target.hasAttribute("data-zoom")) zoom(target); else target.closest("dialog").close();
  });
  document.addEventListener("submit", function (event) { // what is on its way is not lost
    var busy = $("[data-files] [data-uploading]", event.target);
    if (!busy) return;
    event.preventDefault(); event.stopImmediatePropagation();
    var box = busy.closest("[data-files]");
    note(box, box.dataset.wait);
  }, true);
  window.addEventListener("beforeunload", function (event) { if ($("[data-uploading]")) event.preventDefault(); });

  // ---- a picture, larger ----
  function zoom(link) {
    var dialog = make("dialog", "tw-zoom"), image = make("img"), bar = make("div", "tw-row"), close = make("button", "btn btn-quiet btn-icon", "×");
    image.src = link.href; image.alt = link.dataset.zoom;
    close.type = "button"; close.setAttribute("data-zoom-close", ""); close.setAttribute("aria-label", "×");
    bar.appendChild(make("b", "tw-cut tw-grow", link.dataset.zoom)); bar.appendChild(close);
    dialog.setAttribute("aria-label", link.dataset.zoom);
    dialog.appendChild(bar); dialog.appendChild(image);
    dialog.addEventListener("click", function (event) { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", function () { dialog.remove(); link.focus(); });
    document.body.appendChild(dialog); dialog.showModal();
  }
})();
