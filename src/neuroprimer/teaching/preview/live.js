// Loads the page again when its course has changed, and shows what is wrong with it.
(async () => {
  const board = document.createElement("div");
  board.setAttribute("role", "status");
  board.style.cssText =
    "position:fixed;inset:auto 0 0 0;z-index:10000;max-height:40vh;overflow:auto;display:none;" +
    "padding:0.75rem 1rem;background:#7a1020;color:#fff;font:0.9rem/1.4 sans-serif;white-space:pre-wrap";
  document.body.append(board);
  let number = -1;
  let pages = null;
  for (;;) {
    try {
      const answer = await fetch(`/~news?known=${number}`);
      const news = await answer.json();
      if (pages !== null && news.pages !== pages) {
        location.reload();
        return;
      }
      ({ number, pages } = news);
      board.textContent = news.problems.join("\n");
      board.style.display = news.problems.length ? "block" : "none";
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000)); // it has ended, and may come again
    }
  }
})();
