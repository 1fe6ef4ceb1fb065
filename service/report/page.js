// Draws every figure in the colours of the page, again when the scheme or the medium changes.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const PRINT_WIDTH = 680; // CSS pixels that fit a sheet of A4 or Letter

  const narrow = matchMedia("(max-width: 600px)");

  // Plotly reads tags in a label; the middle of a long one is left out
  function label(text) {
    const most = narrow.matches ? 20 : 44;
    const half = most / 2;
    const short = text.length > most ? `${text.slice(0, half)}…${text.slice(-half)}` : text;
    return short.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  // on a narrow page, what all names begin and end with is left to the table
  function labels(names) {
    if (!narrow.matches || names.length < 2) return names.map(label);
    const parts = names.map((name) => name.split("."));
    const most = Math.min(...parts.map((part) => part.length)) - 1;
    const same = (at) => parts.every((part) => part.at(at) === parts[0].at(at));
    let head = 0;
    let tail = 0;
    while (head < most && same(head)) head += 1;
    while (tail < most - head && same(-1 - tail)) tail += 1;
    return parts.map((part) => label(part.slice(head, part.length - tail).join(".")));
  }

  // a colour is written as the name of a CSS variable; nothing but colours is looked up
  function painted(value, key) {
    if (key === "ticktext") return labels(value);
    if (Array.isArray(value)) return value.map((inner) => painted(inner));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, k)]));
    }
    const isColor = key === "color" || key === "fgcolor";
    return isColor ? getComputedStyle(root).getPropertyValue(value).trim() : value;
  }

  function layoutOf(figure, width) {
    const axis = { gridcolor: "--rule", linecolor: "--rule", zerolinecolor: "--rule" };
    const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
    const lines = Object.fromEntries(Object.entries(axis).map(([k, v]) => [k, css(v)]));
    const given = painted(figure.layout);
    return {
      margin: { l: 8, r: 16, t: 8, b: 8 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: css("--ink"), family: getComputedStyle(document.body).fontFamily, size: 12 },
      hoverlabel: { bgcolor: css("--card"), bordercolor: css("--rule"), font: { color: css("--ink") } },
      legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom" },
      dragmode: false,
      ...given,
      ...(width ? { width, autosize: false } : { autosize: true }),
      xaxis: axisOf(given.xaxis, lines),
      yaxis: axisOf(given.yaxis, lines),
    };
  }

  function axisOf(given, lines) {
    return { automargin: true, ...lines, ...given, title: { standoff: 12, ...given.title } };
  }

  function draw(width) {
    for (const [name, figure] of Object.entries(figures)) {
      const place = document.getElementById(`plot-${name}`);
      const options = { responsive: !width, displayModeBar: false };
      Plotly.react(place, painted(figure.data), layoutOf(figure, width), options);
    }
  }

  draw();
  for (const query of [dark, narrow]) query.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => {
    root.dataset.print = "";
    draw(PRINT_WIDTH);
  });
  addEventListener("afterprint", () => {
    delete root.dataset.print;
    draw();
  });
})();
