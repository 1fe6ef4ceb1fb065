// Draws every figure in the colours of the page, again when the scheme or the medium changes.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const PRINT_WIDTH = 680; // CSS pixels that fit a sheet of A4 or Letter

  // a colour is written as the name of a CSS variable; nothing but colours is looked up
  function painted(value, key) {
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
      xaxis: { automargin: true, ...lines, ...given.xaxis },
      yaxis: { automargin: true, ...lines, ...given.yaxis },
    };
  }

  function draw(width) {
    for (const [name, figure] of Object.entries(figures)) {
      const place = document.getElementById(`plot-${name}`);
      const options = { responsive: !width, displayModeBar: false };
      Plotly.react(place, painted(figure.data), layoutOf(figure, width), options);
    }
  }

  draw();
  dark.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => {
    root.dataset.print = "";
    draw(PRINT_WIDTH);
  });
  addEventListener("afterprint", () => {
    delete root.dataset.print;
    draw();
  });
})();
