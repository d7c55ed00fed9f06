// Light or dark before anything is painted: what was chosen here, else what the system asks for.

(() => {
  "use strict";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("chemvae-theme");
  } catch {
    // no storage in this window: the system's choice holds
  }

  const theme = {
    get current() {
      return chosen ?? (system.matches ? "dark" : "light");
    },
    flip() {
      chosen = theme.current === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("chemvae-theme", chosen);
      } catch {
        // it holds for this page
      }
      apply();
    },
  };

  function apply() {
    document.documentElement.dataset.theme = theme.current;
    dispatchEvent(new Event("chemvae-theme"));
  }

  globalThis.chemvaeTheme = theme;
  system.addEventListener("change", apply);
  apply();
})();
