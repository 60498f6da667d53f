"use strict";
(() => {
  const about = JSON.parse(document.getElementById("about").textContent);
  const logs = about.counts.map(Math.log);
  const list = document.getElementById("answers");
  const slider = document.getElementById("power");
  const expects = document.getElementById("expects");
  const shown = 3;
  const answers = [];
  const pictures = new Map();

  const softmax = (scores) => {
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  };
  const percent = (share) => (100 * share).toFixed(1) + "\u00a0%";
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const image = (source, words) => {
    const element = make("img");
    element.src = source;
    element.alt = words;
    return element;
  };
  // Training images of a class, asked for once.
  const examples = (id) => {
    if (!pictures.has(id))
      pictures.set(
        id,
        fetch("/examples/" + id)
          .then((answer) => answer.json())
          .then((found) => found.pictures)
          .catch(() => []),
      );
    return pictures.get(id);
  };

  const draw = (answer) => {
    const power = parseFloat(slider.value) - parseFloat(expects.value);
    const shares = softmax(answer.logits.map((z, c) => z + power * logs[c]));
    const best = shares
      .map((share, id) => [share, id])
      .sort((a, b) => b[0] - a[0])
      .slice(0, shown);
    answer.body.replaceChildren(
      ...best.map(([share, id]) => {
        const row = make("div", "", "answer");
        row.dataset.share = share;
        row.append(make("b", about.names[id]), make("span", percent(share)));
        const bar = make("div", "", "bar");
        bar.append(make("div"));
        bar.firstChild.style.width = 100 * share + "%";
        row.append(bar);
        if (about.pictured) {
          const beside = make("div", "", "beside");
          row.append(beside);
          examples(id).then((found) =>
            beside.append(
              ...found.map((source) =>
                image(source, "training image of " + about.names[id]),
              ),
            ),
          );
        }
        return row;
      }),
    );
  };
  const update = () => {
    const power = parseFloat(slider.value);
    const shares = softmax(logs.map((log) => power * log));
    const most = logs.indexOf(Math.max(...logs));
    const least = logs.indexOf(Math.min(...logs));
    const text =
      `${about.names[most]}, with the most training images: ` +
      `${percent(shares[most])}; ` +
      `${about.names[least]}, with the fewest: ${percent(shares[least])}.`;
    document.getElementById("shares").textContent = text;
    slider.setAttribute("aria-valuetext", text);
    answers.forEach(draw);
  };

  const ask = async (file) => {
    document.getElementById("none").hidden = true;
    const item = make("li");
    const seen = make("div", "", "seen");
    const body = make("div", "", "body");
    const title = make("p", file.name, "name");
    body.append(make("p", "Asking…", "soft"));
    item.append(seen, make("div"));
    item.lastChild.append(title, body);
    list.prepend(item);
    const fail = (text) => {
      item.classList.add("failed");
      body.replaceChildren(make("p", text));
    };
    if (file.size > about.largest)
      return fail(
        `The file is too large: ${Math.round(file.size / 2 ** 20)} MiB, and ` +
          `${about.largest / 2 ** 20} MiB are allowed.`,
      );
    try {
      const answer = await fetch("/ask", { method: "POST", body: file });
      const found = await answer.json();
      if (found.error) return fail(found.error);
      seen.append(image(found.seen, `${file.name} as the model sees it`));
      const kept = { logits: found.logits, body };
      answers.push(kept);
      draw(kept);
    } catch {
      fail("There was no answer. Is the program still running?");
    }
  };
  const all = (files) => [...files].forEach(ask);

  const input = document.getElementById("files");
  input.addEventListener("change", () => {
    all(input.files);
    input.value = "";
  });
  const drop = document.getElementById("drop");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    all(event.dataTransfer.files);
  });
  slider.addEventListener("input", update);
  expects.addEventListener("change", update);
  update();
})();
