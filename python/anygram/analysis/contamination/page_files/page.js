"use strict";
(() => {
  const find = (selector) => [...document.querySelectorAll(selector)];
  const [benchmark, rule, text, contaminated] = ["benchmark", "rule", "text", "contaminated"].map((id) => document.getElementById(id));
  const articles = find("article").map((element) => ({ element, words: element.textContent.toLowerCase() }));
  const has = (list, number) => list.includes(` ${number} `);

  const passes = ({ element, words }) => {
    const named = contaminated.checked ? element.dataset.contaminated : element.dataset.named;
    return (
      (!benchmark.value || element.dataset.benchmark === benchmark.value) &&
      (rule.value ? has(named, rule.value) : named.trim() !== "") &&
      words.includes(text.value.toLowerCase())
    );
  };

  const show = () => {
    let count = 0;
    for (const article of articles) {
      const shown = passes(article);
      article.element.hidden = !shown;
      count += shown;
    }
    for (const element of find("[data-benchmark]:not(article)")) {
      element.hidden = Boolean(benchmark.value) && element.dataset.benchmark !== benchmark.value;
    }
    for (const element of find("tr[data-rule], g[data-rule], li[data-rule]")) {
      element.classList.toggle("faded", Boolean(rule.value) && element.dataset.rule !== rule.value);
    }
    for (const element of find("mark[data-rules]")) {
      element.classList.toggle("off", Boolean(rule.value) && !has(element.dataset.rules, rule.value));
    }
    for (const element of find("blockquote[data-rules]")) {
      element.hidden = Boolean(rule.value) && !has(element.dataset.rules, rule.value);
    }
    const matrices = find("[data-matrix]");
    for (const element of matrices) {
      element.hidden = matrices.length > 1 && element.dataset.matrix !== (benchmark.value || "all");
    }
    document.getElementById("nothing").hidden = count > 0;
    document.getElementById("shown").textContent = `${count.toLocaleString("en")} items shown`;
  };

  document.getElementById("filters").hidden = false;
  for (const control of [benchmark, rule, text, contaminated]) control.addEventListener("input", show);
  show();
})();
