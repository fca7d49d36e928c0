// --- The map of the passages, and the articles by date ---------------------------------------

const COLOURS = 8; // Articles with a colour of their own; style.css has the colours.
const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

async function drawMap(body) {
  const told = make('p', 'fn-told', say('map_told'));
  const frame = make('div', 'fn-map');
  const canvas = make('canvas', '', null, { role: 'img', tabindex: '0' });
  const tip = make('p', 'fn-tip', null, { role: 'status' });
  frame.append(canvas, tip);
  const legend = make('ul', 'fn-legend');
  body.append(told, frame, legend);
  const plane = await call('plane');
  if (!plane || plane.error || !canvas.isConnected) return;
  const links = cardLinks();
  const asked = sources()?.searched_for;
  const found = asked ? await call('locate', { question: asked, links }) : null;
  if (!canvas.isConnected) return;
  if (plane.shown < plane.of) told.append(' ', say('map_shown', { shown: count(plane.shown), total: count(plane.of) }));
  if (found?.question) told.append(' ', say('map_question'));
  canvas.setAttribute('aria-label', say('map_label', { count: count(plane.shown) }));

  const sizes = new Map();
  for (const [, , article] of plane.points) sizes.set(article, (sizes.get(article) || 0) + 1);
  // The articles that were cited have a colour in any case, then those with most passages.
  const cited = new Set(links.map((link) => plane.articles.findIndex((article) => link.includes(article.token))));
  const weight = ([article, size]) => size + (cited.has(article) ? plane.points.length : 0);
  const largest = [...sizes].sort((a, b) => weight(b) - weight(a)).slice(0, COLOURS).map(([article]) => article);
  const kind = new Map(largest.map((article, place) => [article, place + 1]));
  for (const article of largest) {
    const item = make('li');
    const named = plane.articles[article];
    item.append(button('', named.title, () => showArticle(`#src-${named.token}-${WHOLE}`), { dir: 'auto', 'data-colour': kind.get(article) }));
    legend.append(item);
  }
  if (sizes.size > largest.length) legend.append(make('li', 'fn-where', say('map_other')));

  let near = null;
  const place = ([x, y]) => [12 + ((x + 1) / 2) * (canvas.clientWidth - 24), 12 + ((1 - y) / 2) * (canvas.clientHeight - 24)];
  function paint() {
    const scale = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const colours = Array.from({ length: COLOURS + 1 }, (_, number) => colour(`--map-${number}`));
    const radius = plane.points.length > 1500 ? 2 : 4;
    for (const point of plane.points) {
      pen.globalAlpha = 0.75;
      pen.fillStyle = colours[kind.get(point[2]) || 0];
      pen.beginPath();
      pen.arc(...place(point), point === near ? radius + 3 : radius, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = colour('--ink');
    pen.lineWidth = 1.6;
    for (const point of found?.passages || []) {
      pen.beginPath();
      pen.arc(...place(point), radius + 4, 0, 7);
      pen.stroke();
    }
    if (found?.question) {
      const [x, y] = place(found.question);
      pen.fillStyle = colour('--ink');
      pen.beginPath();
      for (let turn = 0; turn < 8; turn += 1) {
        const reach = turn % 2 ? 4 : 11;
        pen.lineTo(x + reach * Math.sin((turn * Math.PI) / 4), y - reach * Math.cos((turn * Math.PI) / 4));
      }
      pen.fill();
    }
  }
  function nearest(event) {
    const [x, y] = [event.offsetX, event.offsetY];
    let best = null;
    let least = 14 * 14;
    for (const point of plane.points) {
      const [a, b] = place(point);
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }
  canvas.addEventListener('pointermove', async (event) => {
    const point = nearest(event);
    if (point === near) return;
    near = point;
    paint();
    tip.textContent = '';
    canvas.style.cursor = near ? 'pointer' : '';
    if (!near) return;
    const passage = await call('passage', near[3]);
    if (passage && !passage.error && point === near) tip.textContent = `${passage.title}: ${passage.text}`;
  });
  canvas.addEventListener('click', async (event) => {
    const point = nearest(event);
    const passage = point && (await call('passage', point[3]));
    if (passage && !passage.error) showArticle(passage.link);
  });
  new ResizeObserver(paint).observe(canvas);
  root.addEventListener('footnote-theme', paint);
}

async function drawTimeline(body) {
  const timeline = await call('timeline');
  if (!timeline || timeline.error) return;
  const articles = timeline.articles;
  if (!articles.length) {
    body.append(make('p', 'fn-empty', say('timeline_none')));
    return;
  }
  body.append(make('p', 'fn-told', say('timeline_told', { dated: count(articles.length), undated: count(timeline.undated) })));
  const years = new Map();
  for (const article of articles) {
    const year = article.date.slice(0, 4);
    years.set(year, [...(years.get(year) || []), article]);
  }
  const list = make('ol', 'fn-timeline');
  for (const [year, dated] of years) {
    const item = make('li');
    const entries = make('ul');
    for (const article of dated.slice(0, ROWS)) {
      const entry = make('li');
      entry.append(make('time', 'fn-where', article.date, { datetime: article.date }));
      entry.append(button('fn-open', article.title, () => showArticle(whole(article)), { dir: 'auto' }));
      entries.append(entry);
    }
    const bar = make('span', 'fn-many', count(dated.length));
    bar.style.setProperty('--share', dated.length / Math.max(...[...years.values()].map((group) => group.length)));
    item.append(make('h3', '', year), bar, entries);
    list.append(item);
  }
  body.append(list);
}
