// What our pages do in a browser: words of the glossary are explained, frames fit, pictures come.
(() => {
  "use strict";

  // A definition is shown while its word has the pointer or the focus; Escape takes it away.
  const explainTerms = () => {
    const box = document.createElement("div");
    box.id = "neuroprimer-definition";
    box.className = "neuroprimer-definition";
    box.setAttribute("role", "tooltip");
    box.hidden = true;
    document.body.append(box);
    let shown = null;
    let leaving = 0;

    const hide = () => {
      clearTimeout(leaving);
      if (shown) shown.removeAttribute("aria-describedby");
      shown = null;
      box.hidden = true;
    };
    const show = (term) => {
      hide();
      shown = term;
      box.textContent = term.dataset.definition;
      box.hidden = false;
      term.setAttribute("aria-describedby", box.id);
      const word = term.getBoundingClientRect();
      const margin = 8;
      const left = Math.min(word.left, document.documentElement.clientWidth - box.offsetWidth - margin);
      const fitsBelow = word.bottom + box.offsetHeight + margin < window.innerHeight;
      const top = fitsBelow ? word.bottom + 4 : word.top - box.offsetHeight - 4;
      box.style.left = `${Math.max(margin, left) + window.scrollX}px`;
      box.style.top = `${top + window.scrollY}px`;
    };
    const leave = () => {
      leaving = setTimeout(hide, 200); // time to move onto the definition
    };

    for (const term of document.querySelectorAll(".neuroprimer-term")) {
      term.addEventListener("pointerenter", () => show(term));
      term.addEventListener("pointerleave", leave);
      term.addEventListener("focus", () => show(term));
      term.addEventListener("blur", hide);
    }
    box.addEventListener("pointerenter", () => clearTimeout(leaving));
    box.addEventListener("pointerleave", leave);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
  };

  // A frame is as high as what is in it, and has the colours of the page.
  const fitFrames = () => {
    const frames = [...document.querySelectorAll("iframe.neuroprimer-frame[srcdoc]")];
    const root = document.documentElement;
    const fit = (frame) => {
      const inside = frame.contentDocument;
      if (!inside || !inside.body || !inside.body.childElementCount) return;
      inside.documentElement.dataset.theme = root.dataset.theme;
      const height = Math.ceil(inside.documentElement.getBoundingClientRect().height);
      const border = frame.offsetHeight - frame.clientHeight;
      if (height > 0) frame.style.height = `${height + border}px`;
    };
    const watch = (frame) => {
      fit(frame);
      const inside = frame.contentDocument;
      if (inside && inside.body) new ResizeObserver(() => fit(frame)).observe(inside.body);
    };
    for (const frame of frames) {
      frame.addEventListener("load", () => watch(frame));
      watch(frame);
    }
    new MutationObserver(() => frames.forEach(fit)).observe(root, { attributeFilter: ["data-theme"] });
  };

  // What is far below comes after all that is seen first; but come it must, for whoever prints.
  const fetchTheRest = () => {
    for (const one of document.querySelectorAll('[loading="lazy"]')) one.loading = "eager";
  };

  // Read from a file, pages cannot be fetched, so that the search shows titles without excerpts.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS === "object") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  explainTerms();
  fitFrames();
  addEventListener("load", () => setTimeout(fetchTheRest, 500));
})();
