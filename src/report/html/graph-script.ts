/**
 * Moves and enlarges the knowledge graph, and tells of the node that is pointed at or focused: wheel (with Ctrl, or after
 * a click into it, so that the page still scrolls), drag, buttons, keys. The picture is whole without it.
 */
export const GRAPH_SCRIPT = `
for (const figure of document.querySelectorAll('.graph-figure')) {
  const svg = figure.querySelector('.graph');
  const info = figure.querySelector('.graph-info');
  const whole = svg.viewBox.baseVal;
  const [X, Y, W, H] = [whole.x, whole.y, whole.width, whole.height];
  const hint = info.textContent;
  let view = { x: 0, y: 0, scale: 1 };
  const show = () => {
    const width = W / view.scale;
    const height = H / view.scale;
    view.x = Math.min(Math.max(view.x, 0), W - width);
    view.y = Math.min(Math.max(view.y, 0), H - height);
    svg.setAttribute('viewBox', X + view.x + ' ' + (Y + view.y) + ' ' + width + ' ' + height);
    svg.classList.toggle('zoomed', view.scale > 1.001);
  };
  const zoom = (factor, clientX, clientY) => {
    const box = svg.getBoundingClientRect();
    const [u, v] = clientX === undefined ? [0.5, 0.5] : [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    const scale = Math.min(8, Math.max(1, view.scale * factor));
    view.x += u * (W / view.scale - W / scale);
    view.y += v * (H / view.scale - H / scale);
    view.scale = scale;
    show();
  };
  const move = (x, y) => { view.x += x / view.scale; view.y += y / view.scale; show(); };
  const fit = () => { view = { x: 0, y: 0, scale: 1 }; show(); };
  const tools = figure.querySelector('.graph-tools');
  tools.hidden = false;
  tools.addEventListener('click', (event) => {
    const what = event.target.dataset.zoom;
    if (what === 'in') zoom(1.5);
    else if (what === 'out') zoom(1 / 1.5);
    else if (what === 'fit') fit();
  });
  svg.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey && !svg.contains(document.activeElement)) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), event.clientX, event.clientY);
  }, { passive: false });
  const keys = {
    '+': () => zoom(1.5), '=': () => zoom(1.5), '-': () => zoom(1 / 1.5), 0: fit,
    ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0), ArrowUp: () => move(0, -60), ArrowDown: () => move(0, 60),
  };
  svg.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    if (event.key.startsWith('Arrow') && view.scale === 1) return;
    event.preventDefault();
    keys[event.key]();
  });
  let held = null;
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || (event.pointerType !== 'mouse' && view.scale === 1)) return;
    held = { x: event.clientX, y: event.clientY };
  });
  svg.addEventListener('pointermove', (event) => {
    if (!held) return;
    if (!svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
    const unit = W / svg.getBoundingClientRect().width;
    move((held.x - event.clientX) * unit, (held.y - event.clientY) * unit);
    held = { x: event.clientX, y: event.clientY };
  });
  for (const type of ['pointerup', 'pointercancel']) svg.addEventListener(type, () => { held = null; });

  const nodes = [...svg.querySelectorAll('.node')];
  const edges = [...svg.querySelectorAll('.edge')];
  const clear = () => {
    svg.classList.remove('picking');
    for (const part of [...nodes, ...edges]) part.classList.remove('near', 'picked');
    info.textContent = hint;
  };
  const pick = (node) => {
    clear();
    svg.classList.add('picking');
    node.classList.add('near', 'picked');
    const ties = [];
    for (const edge of edges) {
      const { from, to, weight } = edge.dataset;
      if (from !== node.dataset.node && to !== node.dataset.node) continue;
      const other = nodes[from === node.dataset.node ? to : from];
      edge.classList.add('near');
      other.classList.add('near');
      ties.push([weight, (from === node.dataset.node ? '\\u2192 ' : '\\u2190 ') + other.dataset.name]);
    }
    ties.sort((a, b) => Number(b[0].replaceAll(',', '')) - Number(a[0].replaceAll(',', '')));
    const name = document.createElement('b');
    name.textContent = node.dataset.name;
    const list = ties.slice(0, 6).map(([weight, other]) => other + ' ' + weight).join(' \\u00b7 ');
    info.replaceChildren(name, ': ' + node.dataset.about + '. ' + list);
  };
  for (const node of nodes) {
    node.querySelector('title').remove();
    node.addEventListener('pointerenter', () => { if (!held) pick(node); });
    node.addEventListener('focus', () => pick(node));
    node.addEventListener('blur', clear);
    node.addEventListener('pointerleave', () => {
      if (nodes.includes(document.activeElement)) pick(document.activeElement);
      else clear();
    });
  }
}
`;
