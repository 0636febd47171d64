"use strict";
(() => {
  const texts = document.getElementById("texts");
  const choices = document.getElementById("choices");
  if (!texts || !choices) return;
  choices.hidden = false;
  for (const choice of choices.querySelectorAll("input[name=colour]")) {
    choice.addEventListener("input", () => { texts.dataset.colour = choice.value; });
  }
  for (const choice of choices.querySelectorAll("input[name=set]")) {
    choice.addEventListener("input", () => {
      for (const element of texts.querySelectorAll(`[data-set="${choice.value}"]`)) element.hidden = !choice.checked;
    });
  }
})();
