"use strict";
(() => {
  // Tables whose headings are buttons sort by them.
  const key = (cell) => {
    const text = cell.textContent.trim();
    const number = parseFloat(text.replace(/,/g, ""));
    return /^[-−\d.,\s%]+$/.test(text) && !isNaN(number) ? number : text;
  };
  const compare = (a, b) => {
    if (typeof a === typeof b)
      return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? 1 : -1;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = head.querySelector("button");
      if (!button) return;
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows]
          .map((row) => [key(row.cells[column]), row])
          .sort((a, b) => (down ? compare(b[0], a[0]) : compare(a[0], b[0])));
        table.tBodies[0].append(...rows.map((row) => row[1]));
      });
    });
  }

  const element = document.getElementById("live-data");
  if (!element) return;
  const data = JSON.parse(element.textContent);
  const unpack = (text, Kind) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Kind(bytes.buffer);
  };
  const labels = unpack(data.labels, Uint16Array);
  const classes = data.counts.length;
  const logs = data.counts.map(Math.log);
  const total = new Float64Array(classes);
  for (const label of labels) total[label] += 1;
  const models = data.models.map((model) => ({
    sizes: unpack(model.sizes, Uint16Array),
    begins: unpack(model.begins, Float32Array),
    classes: unpack(model.classes, Uint16Array),
    expects: model.expects,
  }));

  // Shares of the classes: a power of the training counts.
  const prior = (power) => {
    const scores = logs.map((log) => power * log);
    const top = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - top));
    const sum = shares.reduce((a, b) => a + b, 0);
    return shares.map((share) => share / sum);
  };
  // Answers of a model whose logits are moved by a power of the counts: the
  // last piece of each image that has begun.
  const answers = (model, power) => {
    const found = new Uint16Array(labels.length);
    let piece = 0;
    for (let image = 0; image < labels.length; image++) {
      const end = piece + model.sizes[image];
      let last = piece;
      while (last + 1 < end && model.begins[last + 1] <= power) last++;
      found[image] = model.classes[last];
      piece = end;
    }
    return found;
  };
  const measure = (found, shares) => {
    const right = new Float64Array(classes);
    const predicted = new Float64Array(classes);
    const weight = shares.map((share, c) => (total[c] ? share / total[c] : 0));
    const present = shares.filter((_, c) => total[c]);
    const sum = present.reduce((a, b) => a + b, 0);
    found.forEach((answer, image) => {
      predicted[answer] += weight[labels[image]] / sum;
      if (answer === labels[image]) right[answer] += 1;
    });
    const recall = (c) => right[c] / total[c];
    const mean = (ids, value) => {
      const known = ids.filter((c) => total[c]);
      return known.length
        ? known.reduce((a, c) => a + value(c), 0) / known.length
        : NaN;
    };
    const all = data.counts.map((_, c) => c);
    const seen = all.filter((c) => total[c]);
    const share = (c) => shares[c] / sum;
    const result = {
      overall: seen.reduce((a, c) => a + share(c) * recall(c), 0),
      balanced: mean(all, recall),
    };
    for (const [name, ids] of Object.entries(data.groups))
      if (ids.some((c) => total[c])) result[name] = mean(ids, recall);
    result.macro_f1 = mean(
      all,
      (c) => (2 * share(c) * recall(c)) / (share(c) + predicted[c]),
    );
    result.worst_class = Math.min(...seen.map(recall));
    return result;
  };

  const words = {
    overall: "Right, of images with these shares",
    balanced: "Balanced accuracy",
    many: "Many-shot accuracy",
    medium: "Medium-shot accuracy",
    few: "Few-shot accuracy",
    head: "Accuracy of the head",
    body: "Accuracy of the body",
    tail: "Accuracy of the tail",
    macro_f1: "Macro F1",
    worst_class: "Worst class",
  };
  const percent = (share) => (100 * share).toFixed(1) + "\u00a0%";
  const slider = document.getElementById("power");
  const body = document.querySelector("#figures tbody");
  const largest = logs.indexOf(Math.max(...logs));
  const rarest = logs.indexOf(Math.min(...logs));
  const update = () => {
    const power = parseFloat(slider.value);
    const shares = prior(power);
    const own = (model) => power - model.expects;
    const columns = [
      ...models.map((model) => measure(answers(model, own(model)), shares)),
      ...models.map((model) => measure(answers(model, 0), shares)),
    ];
    body.replaceChildren(
      ...Object.keys(words).filter((name) => name in columns[0]).map((name) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = words[name];
        row.append(head);
        columns.forEach((column, number) => {
          const cell = row.insertCell();
          cell.textContent = percent(column[name]);
          cell.dataset.figure = name;
          cell.dataset.column = number;
          cell.dataset.exact = column[name];
        });
        return row;
      }),
    );
    const text =
      `${data.names[largest]}, with the most training images: ` +
      `${percent(shares[largest])} of yours; ` +
      `${data.names[rarest]}, with the fewest: ${percent(shares[rarest])}.`;
    document.getElementById("shares").textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  slider.addEventListener("input", update);
  for (const select of document.querySelectorAll("select[data-model]"))
    select.addEventListener("change", () => {
      models[select.dataset.model].expects = parseFloat(select.value);
      update();
    });
  update();
})();
