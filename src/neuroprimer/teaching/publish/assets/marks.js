// Marks: hints one after the other, what the reader has done, and the page about it. All of it
// stays in the browser, under the key that quizzes use: neuroprimer:LESSON:EXERCISE.
(() => {
  "use strict";

  // What the browser keeps. Where it keeps nothing, marks last as long as the page.

  const memory = new Map();
  let isKept = true;
  const trying = (work, otherwise) => {
    try {
      return work();
    } catch {
      isKept = false;
      return otherwise();
    }
  };
  const store = {
    get: (key) => memory.get(key) ?? trying(() => localStorage.getItem(key), () => null),
    set: (key, value) => trying(() => localStorage.setItem(key, value), () => memory.set(key, value)),
    remove: (key) => {
      memory.delete(key);
      trying(() => localStorage.removeItem(key), () => null);
    },
    keys: () => [...memory.keys(), ...trying(() => Object.keys(localStorage), () => [])],
  };
  store.set("neuroprimer-probe", "");
  store.remove("neuroprimer-probe");

  const notice = () => {
    if (!isKept) return "This browser keeps no marks: they are forgotten when you leave this page.";
    if (location.protocol !== "file:") return "";
    return "This page was opened as a file, and your browser may not keep marks from page to page.";
  };

  // What is done, each with the event that the command line can import: its id is made once, so
  // that the same mark is the same event in every export.

  const KINDS = ["attempt", "hint", "solution", "reset", "mark"];
  const TYPES = {
    ...{ lesson_id: "string", exercise_id: "string", kind: "string", is_correct: "boolean" },
    ...{ message: "string", digest: "string", points: "number", when: "string", id: "string" },
  };
  const isEvent = (event) =>
    event !== null &&
    typeof event === "object" &&
    Object.keys(event).length === Object.keys(TYPES).length &&
    Object.entries(TYPES).every(([name, type]) => typeof event[name] === type) &&
    KINDS.includes(event.kind) &&
    Boolean(event.lesson_id && event.exercise_id && event.id) &&
    /(Z|[+-]\d\d:?\d\d)$/.test(event.when) &&
    !Number.isNaN(Date.parse(event.when));

  const newEvent = ({ lesson, id, isQuiz }) => ({
    lesson_id: lesson,
    exercise_id: id,
    kind: isQuiz ? "attempt" : "mark",
    is_correct: isQuiz,
    message: isQuiz ? "Answered on the lesson's page." : "Marked on the lesson's page.",
    digest: isQuiz ? "page" : "",
    points: 0,
    when: `${new Date().toISOString().slice(0, 19)}+00:00`,
    id: [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join(""),
  });

  const markKey = ({ lesson, id }) => `neuroprimer:${lesson}:${id}`;
  const eventKey = ({ lesson, id }) => `neuroprimer-event:${lesson}:${id}`;
  const isDone = (task) => store.get(markKey(task)) === "solved";
  const mark = (task, event = newEvent(task)) => {
    store.set(markKey(task), "solved");
    store.set(eventKey(task), JSON.stringify(event));
    return event;
  };
  const unmark = (task) => [markKey(task), eventKey(task)].forEach(store.remove);
  const eventOf = (task) => {
    let event = null;
    try {
      event = JSON.parse(store.get(eventKey(task)));
    } catch {
      // it is made anew, as for a quiz that another page has marked
    }
    const isOurs = isEvent(event) && event.lesson_id === task.lesson && event.exercise_id === task.id;
    return isOurs ? event : mark(task);
  };

  // Pieces of pages.

  const make = (name, properties = {}, ...content) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...content);
    return made;
  };
  const showCount = (place, tasks) => {
    const n = tasks.filter(isDone).length;
    const bar = make("progress", { max: tasks.length, value: n });
    bar.setAttribute("aria-hidden", "true"); // the words say the same
    place.replaceChildren(bar, ` ${n} of ${tasks.length}`);
  };
  const taskOf = (place) => {
    const [lesson, id] = (place.dataset.exercise ?? place.dataset.quiz).split(":");
    return { lesson, id, isQuiz: "quiz" in place.dataset };
  };

  // Lessons.

  const makeHints = (block) => {
    const hints = [...block.querySelectorAll("details")].map((one) => {
      const title = make("strong", {}, one.firstChild.textContent);
      return make("div", { className: "neuroprimer-hint" }, title, one.querySelector("p"));
    });
    block.querySelector("details")?.remove();
    if (!hints.length) return [];
    const place = make("div", { className: "neuroprimer-hints" });
    place.setAttribute("aria-live", "polite");
    const next = make("button", { type: "button" });
    const name = () => {
      next.textContent = hints[0].querySelector("strong").textContent;
    };
    next.addEventListener("click", () => {
      const hint = hints.shift();
      place.append(hint);
      if (hints.length) {
        name();
      } else {
        hint.tabIndex = -1; // the focus must not fall off the page with the button
        hint.focus();
        next.remove();
      }
    });
    name();
    return [place, next];
  };

  const makeBlock = (block, refresh) => {
    const task = taskOf(block);
    const [hints, next] = makeHints(block);
    const box = make("input", { type: "checkbox", autocomplete: "off" });
    box.addEventListener("change", () => {
      (box.checked ? mark : unmark)(task);
      refresh();
    });
    const bar = make("div", { className: "neuroprimer-bar" }, make("label", {}, box, " Mark as done"));
    if (next) bar.prepend(next);
    block.append(...(hints ? [hints] : []), bar);
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", `Exercise ${task.id}`);
    return () => {
      box.checked = isDone(task);
    };
  };

  const makeQuizMark = (form) => {
    const note = make("p", { className: "neuroprimer-noted" }, "✓ Done");
    form.append(note);
    return () => {
      note.hidden = !isDone(taskOf(form));
    };
  };

  const makeLesson = (blocks, quizzes) => {
    const named = [...blocks, ...quizzes].map(taskOf).map((task) => [markKey(task), task]);
    const tasks = [...new Map(named).values()]; // a quiz may stand on a page twice
    const count = make("span", { className: "neuroprimer-done" });
    const words = make("small");
    const page = `${document.documentElement.dataset.content_root ?? "./"}my-progress.html`;
    const link = make("a", { href: page }, "Your progress");
    const line = make("p", {}, make("strong", {}, "Done:"), " ", count, " ", link, words);
    const facts = document.querySelector(".neuroprimer-facts ul");
    if (facts) facts.append(make("li", {}, line));
    else blocks.concat(quizzes)[0].before(line);
    const refresh = () => {
      parts.forEach((part) => part());
      showCount(count, tasks);
      words.textContent = notice();
    };
    const parts = [...blocks.map((block) => makeBlock(block, refresh)), ...quizzes.map(makeQuizMark)];
    document.addEventListener("neuroprimer-quiz", ({ detail }) => {
      eventOf({ lesson: detail.lesson, id: detail.quiz, isQuiz: true });
      refresh();
    });
    return refresh;
  };

  // The page about the progress.

  const readExport = (text, { format, version }) => {
    let content = null;
    try {
      content = JSON.parse(text);
    } catch {
      throw new Error("it is not JSON");
    }
    if (content?.format !== format) throw new Error("it is no export of progress");
    if (!Number.isInteger(content.version) || content.version < 1) {
      throw new Error("it does not say of which version it is");
    }
    if (content.version > Number(version)) {
      throw new Error("a newer neuroprimer has written it than the one that made this site");
    }
    if (!Array.isArray(content.events) || !content.events.every(isEvent)) {
      throw new Error("its events are not as they must be");
    }
    return content.events;
  };

  const importEvents = (events, tasks) => {
    const best = new Map(); // a checked answer says more than a mark
    for (const event of events) {
      const says = event.kind === "mark" ? 1 : event.kind === "attempt" && event.is_correct ? 2 : 0;
      const name = `${event.lesson_id}:${event.exercise_id}`;
      if (says > (best.get(name)?.says ?? 0)) best.set(name, { says, event });
    }
    const here = tasks.filter(({ lesson, id }) => best.has(`${lesson}:${id}`));
    const fresh = here.filter((task) => !isDone(task));
    for (const task of fresh) mark(task, best.get(`${task.lesson}:${task.id}`).event);
    const elsewhere = best.size - here.length;
    return (
      `${fresh.length} new, ${here.length - fresh.length} known before` +
      (elsewhere ? `, ${elsewhere} of exercises that this site does not have.` : ".")
    );
  };

  const download = (content, name) => {
    const file = new Blob([`${JSON.stringify(content, null, 1)}\n`], { type: "application/json" });
    const link = make("a", { href: URL.createObjectURL(file), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // it may be saved after a question
  };

  const makeProgressPage = (page) => {
    const split = (ids) => ids.split(" ").filter(Boolean);
    const rows = [...page.querySelectorAll("tr[data-lesson]")].map((row) => {
      const { lesson, exercises, quizzes } = row.dataset;
      const tasks = [
        ...split(exercises).map((id) => ({ lesson, id, isQuiz: false })),
        ...split(quizzes).map((id) => ({ lesson, id, isQuiz: true })),
      ];
      return { lesson, tasks, place: row.querySelector(".neuroprimer-done") };
    });
    const all = rows.flatMap((row) => row.tasks);
    const said = page.querySelector(".neuroprimer-said");
    const input = page.querySelector("input[type=file]");
    const refresh = () => {
      rows.forEach((row) => showCount(row.place, row.tasks));
      showCount(page.querySelector("tfoot .neuroprimer-done"), all);
    };
    const say = (words) => {
      refresh();
      said.textContent = words;
    };
    const actions = {
      export: () => {
        const events = all.filter(isDone).map(eventOf);
        if (!events.length) return say("There is nothing to export yet.");
        events.sort((one, other) => Date.parse(one.when) - Date.parse(other.when));
        const { format, version } = page.dataset;
        download({ format, version: Number(version), events }, "neuroprimer-progress.json");
        return say(`Exported: ${events.length} done.`);
      },
      import: () => input.click(),
      clear: () => {
        const n = all.filter(isDone).length;
        if (!n) return say("There is nothing to clear.");
        const question = `Take away what this browser knows of this course, ${n} done?`;
        if (!confirm(`${question} Without an export it is gone.`)) return say("Nothing was cleared.");
        const ours = rows.flatMap(({ lesson }) => [`neuroprimer:${lesson}:`, `neuroprimer-event:${lesson}:`]);
        store.keys().filter((key) => ours.some((start) => key.startsWith(start))).forEach(store.remove);
        return say(`Cleared: ${n}.`);
      },
    };
    for (const button of page.querySelectorAll("[data-action]")) {
      button.addEventListener("click", actions[button.dataset.action]);
    }
    input.addEventListener("change", async () => {
      const [file] = input.files;
      if (!file) return;
      try {
        say(`Imported ${file.name}: ${importEvents(readExport(await file.text(), page.dataset), all)}`);
      } catch (error) {
        say(`${file.name} was not imported: ${error.message}. Nothing was changed.`);
      }
      input.value = ""; // so that the same file can be chosen again
    });
    page.querySelector(".neuroprimer-buttons").hidden = false;
    said.textContent = notice();
    return refresh;
  };

  const begin = () => {
    const page = document.querySelector(".neuroprimer-progress");
    if (page) return makeProgressPage(page);
    const blocks = [...document.querySelectorAll(".neuroprimer-exercise")];
    const quizzes = [...document.querySelectorAll("form.neuroprimer-quiz")];
    return blocks.length + quizzes.length ? makeLesson(blocks, quizzes) : () => {};
  };
  const refresh = begin();
  refresh();
  addEventListener("storage", refresh); // another tab has marked something
  addEventListener("pageshow", refresh); // or another page, before one went back to this
})();
