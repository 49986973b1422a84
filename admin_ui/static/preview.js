// The pickers of the preview: what is chosen is shown at once; another object asks for another record.
(function () {
  "use strict";
  var form = document.querySelector("[data-preview-form]");
  if (!form) return;
  form.querySelector("[data-go]").hidden = true;
  form.addEventListener("change", function (event) {
    var at = event.target;
    if (at.name === "object") { form.elements.record.value = ""; form.elements["record.text"].value = ""; }
    else if (!(at.type === "hidden" && at.value)) return;
    if (at.name === "as" || at.name === "record") form.elements[at.name + ".text"].disabled = true; // the id says it
    form.submit();
  });
})();
