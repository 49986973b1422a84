// Two people, one record: all of one side by one button.
(function () {
  "use strict";
  Array.prototype.forEach.call(document.querySelectorAll("[data-pick-all]"), function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      Array.prototype.forEach.call(button.closest("form").querySelectorAll('input[type="radio"]'), function (radio) {
        radio.checked = radio.value === button.dataset.pickAll;
      });
    });
  });
})();
