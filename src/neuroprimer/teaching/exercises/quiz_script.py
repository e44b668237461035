"""What makes a quiz live on a page: its script and its style.

They are Python and not files of their own, since a kept run is known to depend on the modules that
it imported, and not on the files that these would read.
"""

# The same for every quiz: whatever is particular stands in the form's attributes, so that the
# script may run once for each quiz of a page, or again, and bind every form once.
SCRIPT = r"""
(() => {
  "use strict";
  const decode = (text) =>
    JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), (one) => one.charCodeAt(0))));

  const readNumber = (text, unit) => {
    let plain = text.trim();
    if (unit && plain.endsWith(unit)) plain = plain.slice(0, -unit.length).trim();
    plain = plain.replaceAll("\u2212", "-").replace(",", ".");
    return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(plain) ? Number(plain) : NaN;
  };

  const judgeChoices = (key, inputs) => {
    const chosen = inputs.flatMap((input, position) => (input.checked ? [position] : []));
    if (!chosen.length) return ["missing", key.missing];
    const wrong = chosen.filter((position) => !key.correct.includes(position));
    if (wrong.length) return ["wrong", wrong.map((position) => key.feedback[position]).join(" ")];
    if (chosen.length < key.correct.length) return ["wrong", key.incomplete];
    return ["right", key.right];
  };

  const judgeNumber = (key, [input]) => {
    if (!input.value.trim()) return ["missing", key.missing];
    const number = readNumber(input.value, key.unit);
    if (Number.isNaN(number)) return ["missing", key.unreadable];
    const isNear = (other) => Math.abs(number - other) <= key.tolerance;
    if (isNear(key.expected)) return ["right", key.right];
    const slip = key.slips.find(([other]) => isNear(other));
    return ["wrong", slip ? slip[1] : key.other];
  };

  const remember = (form) => {
    const [lesson, quiz] = form.dataset.quiz.split(":");
    try {
      localStorage.setItem(`neuroprimer:${lesson}:${quiz}`, "solved");
    } catch {
      // a browser may keep nothing; the answer is right all the same
    }
    const detail = { lesson, quiz, solved: true };
    form.dispatchEvent(new CustomEvent("neuroprimer-quiz", { bubbles: true, detail }));
  };

  const bind = (form) => {
    form.dataset.ready = "";
    const key = decode(form.dataset.key);
    const inputs = [...form.querySelectorAll("input")];
    const verdict = form.querySelector(".neuroprimer-verdict");
    form.querySelector("button").disabled = false;
    form.addEventListener("input", () => {
      verdict.replaceChildren();
      delete verdict.dataset.state;
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [state, message] = (key.correct ? judgeChoices : judgeNumber)(key, inputs);
      const text = document.createElement("span");
      text.textContent = message;
      verdict.replaceChildren(text);
      if (state === "wrong") {
        const heading = document.createElement("strong");
        heading.textContent = key.wrong;
        verdict.prepend(heading, " ");
      }
      verdict.dataset.state = state;
      if (state === "right") remember(form);
    });
  };

  document.querySelectorAll("form.neuroprimer-quiz:not([data-ready])").forEach(bind);
})();
"""

# The names that begin with --pst- are those of the theme of Jupyter Book, the ones with --jp-
# those of JupyterLab; elsewhere a quiz has the colours of what is around it.
STYLE = """
.neuroprimer-quiz, .neuroprimer-verdict {
  --quiz-text: var(--pst-color-text-base, var(--jp-content-font-color1, inherit));
  --quiz-line: var(--pst-color-border, var(--jp-border-color1, #888));
  --quiz-edge: var(--pst-color-text-muted, var(--jp-border-color0, #777));
  --quiz-accent: var(--pst-color-primary, var(--jp-brand-color1, #0a7d91));
  --quiz-right: var(--pst-color-success, var(--jp-success-color1, #28a745));
  --quiz-wrong: var(--pst-color-danger, var(--jp-error-color1, #d72d47));
  color: var(--quiz-text);
}
.text_html:has(> :is(.neuroprimer-quiz, .neuroprimer-verdict)) {
  padding: 0 !important; background: none !important; /* in the dark, the theme lays grey below */
}
.neuroprimer-quiz {
  margin: 1rem 0;
  padding: 0.75rem 1rem 1rem;
  border: 1px solid var(--quiz-line);
  border-left: 0.25rem solid var(--quiz-accent);
  border-radius: 0.25rem;
  overflow-wrap: anywhere;
}
.neuroprimer-quiz fieldset { min-width: 0; margin: 0; padding: 0; border: 0; }
.neuroprimer-quiz legend {
  float: none; width: 100%; margin: 0 0 0.5rem; padding: 0; font-size: 1em; font-weight: 600;
}
.neuroprimer-quiz legend small { display: block; font-weight: 400; }
.neuroprimer-quiz label {
  display: flex; align-items: baseline; gap: 0.5rem; margin: 0; padding: 0.25rem 0;
}
.neuroprimer-quiz label span:not(:last-child) { flex: none; }
.neuroprimer-quiz label:has([type="text"]) { flex-wrap: wrap; }
.neuroprimer-quiz input { flex: none; accent-color: var(--quiz-accent); }
.neuroprimer-quiz input[type="text"] {
  width: 10em; max-width: 100%; padding: 0.25rem 0.5rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--quiz-edge); border-radius: 0.25rem;
}
.neuroprimer-quiz button {
  margin-top: 0.5rem; padding: 0.25rem 1rem; font: inherit; color: inherit; cursor: pointer;
  background: transparent; border: 1px solid var(--quiz-accent); border-radius: 0.25rem;
}
.neuroprimer-quiz button:disabled { opacity: 0.6; cursor: default; }
.neuroprimer-quiz :is(input, button):focus-visible {
  outline: 2px solid var(--quiz-accent); outline-offset: 2px;
}
.neuroprimer-quiz[data-ready] .neuroprimer-how { display: none; }
.neuroprimer-verdict[data-state] {
  margin-top: 0.75rem; padding-left: 0.75rem; border-left: 0.25rem solid var(--quiz-line);
}
.neuroprimer-verdict[data-state="right"] { border-color: var(--quiz-right); }
.neuroprimer-verdict[data-state="wrong"] { border-color: var(--quiz-wrong); }
"""
