// --- The panel of sources -------------------------------------------------------------------
// Lists what an answer stands on, and shows an article with the cited words lit.

// turn: whose sources are listed; link: the citation that is open; links: those it is one of;
// opener: where the focus goes back to; dismissed: the reader has closed the panel; suggested: the
// answer for which there are suggestions.
const state = { turn: 0, link: null, links: [], answer: '', opener: null, dismissed: false, suggested: '' };
const sources = () => (props.value && props.value.cards ? props.value : null);

function draw(head, body, name, under = []) {
  const holder = one('.fn-root', element);
  const bar = make('header', 'fn-bar');
  bar.append(...head, button('fn-icon fn-close', null, closePanel, { 'aria-label': say('close') }));
  const scroll = make('div', 'fn-body', null, { tabindex: '-1', role: 'region', 'aria-label': name });
  scroll.append(...body);
  holder.replaceChildren(bar, ...under, scroll);
  return scroll;
}

function card(entry) {
  const made = button('fn-card', null, () => openArticle(entry.link, null, cardLinks()), { 'data-link': entry.link });
  const title = make('span', 'fn-card-title', null, { dir: 'auto' });
  if (entry.number) title.append(make('span', 'fn-number', entry.number));
  title.append(make('span', '', entry.title));
  const where = [entry.file, entry.place].filter(Boolean).join(' · ');
  made.append(title, make('span', 'fn-where', where), make('span', 'fn-quote', entry.quote, { dir: 'auto' }));
  return made;
}

const cardLinks = () => (sources()?.cards || []).map((entry) => entry.link);

// Sources that disagree: side by side, each with the words round what it says.
function column(entry) {
  const made = make('section', 'fn-column', null, { 'aria-label': entry.title });
  const title = make('h3', 'fn-card-title', null, { dir: 'auto' });
  title.append(make('span', 'fn-number', entry.number), make('span', '', entry.title));
  made.append(make('p', 'fn-value', entry.value, { dir: 'auto' }), title);
  made.append(make('p', 'fn-where', [entry.file, entry.place].filter(Boolean).join(' · ')));
  made.append(...entry.blocks.map(block));
  made.append(button('fn-plain', say('whole_article'), () => openArticle(entry.link, null, cardLinks()), { 'data-link': entry.link }));
  return made;
}

function drawList() {
  state.link = null;
  const shown = sources();
  const body = [];
  const columns = shown?.columns || [];
  if (columns.length) {
    const grid = make('div', 'fn-columns');
    grid.append(...columns.map(column));
    body.push(grid);
  } else if (shown) body.push(...shown.cards.map(card));
  if (!body.length) body.push(make('p', 'fn-empty', say('sources_appear')));
  for (const name of ['own_words', 'looked_at']) {
    const entries = (shown && shown[name]) || [];
    if (!entries.length) continue;
    const more = make('details', 'fn-more');
    more.append(make('summary', '', `${say(name)} (${entries.length})`));
    more.append(...entries.map((entry) => card({ ...entry, number: null })));
    body.push(more);
  }
  const heading = shown ? shown.heading : say('sources');
  root.dataset.wide = columns.length ? 'yes' : 'no';
  draw([make('h2', 'fn-title', heading)], body, heading);
  markCurrent();
}

function block(part) {
  const tags = { title: 'h3', heading: 'h4' };
  const made = make(tags[part.kind] || 'p', `fn-block fn-${part.kind}`, null, { dir: 'auto' });
  if (part.line) made.dataset.line = part.line;
  for (const run of part.runs) {
    if (run.kind === 'cited' || run.kind === 'short') made.append(make('mark', `fn-${run.kind}`, run.text));
    else if (run.kind === 'left-out')
      made.append(make('span', 'fn-left-out', run.text, { title: say('left_out', { reason: run.reason }) }));
    else made.append(run.text);
  }
  if (part.runs.every((run) => run.kind === 'left-out' || !run.text.trim())) made.classList.add('fn-gone');
  return made;
}

// What can be done with the cited words: to the next ones, copy them, send them to somebody.
function tools(article) {
  const made = make('div', 'fn-tools');
  const place = state.links.indexOf(state.link);
  if (state.links.length > 1 && place >= 0) {
    made.append(
      button('fn-icon fn-previous', null, () => step(-1), { 'aria-label': say('previous'), title: say('previous') }),
      make('span', 'fn-count', say('of', { number: place + 1, total: state.links.length })),
      button('fn-icon fn-next', null, () => step(1), { 'aria-label': say('next'), title: say('next') }),
    );
  }
  if (article.references) {
    const menu = make('details', 'fn-menu');
    menu.append(make('summary', 'fn-plain', say('copy_quote')));
    const list = make('div', 'fn-menu-list');
    for (const form of ['plain', 'markdown', 'bibtex'])
      list.append(button('', say(`copy_${form}`), () => copyReference(menu, article.references[form])));
    if (state.answer) list.append(button('', say('copy_link'), () => copyReference(menu, answerLink(state.answer) + state.link)));
    menu.append(list);
    made.append(menu);
  }
  return made;
}

async function copyReference(menu, text) {
  menu.open = false;
  await copyAndTell(text, one('summary', menu));
}

const answerLink = (id) => `${location.origin}${location.pathname}?answer=${id}`;

function drawArticle(article) {
  const back = button('fn-icon fn-back', null, () => openList(state.opener), { 'aria-label': say('all_sources') });
  const head = make('div', 'fn-head');
  head.append(make('h2', 'fn-title', article.title || say('source'), { dir: 'auto' }));
  const where = [article.file, article.place, article.date, article.author].filter(Boolean).join(' · ');
  head.append(make('p', 'fn-where', where));
  const body = (article.blocks || []).map(block);
  const notes = [article.error || article.note, article.changed ? say('file_changed') : ''];
  for (const words of notes.filter(Boolean)) body.unshift(make('p', 'fn-note', words, { role: 'status' }));
  root.dataset.wide = 'no';
  const name = say('source_named', { title: article.title || '' });
  const scroll = draw([back, head], body, name, [tools(article)]);
  scroll.classList.toggle('fn-numbered', (article.blocks || []).some((part) => part.line));
  const marked = one('mark', scroll);
  if (marked) {
    const above = marked.getBoundingClientRect().top - scroll.getBoundingClientRect().top;
    scroll.scrollTop += above - scroll.clientHeight / 3;
  }
  scroll.focus({ preventScroll: true });
}

// opener: what was clicked in the chat; links: the citations that this one stands among.
async function openArticle(link, opener, links) {
  const article = await call('article', link);
  if (!article) return;
  if (opener) {
    state.opener = opener;
    const row = opener.closest('.message-row');
    state.answer = one('a[href^="#answer-"]', row)?.getAttribute('href').slice(8) || '';
    state.links = [...new Set(all(CHIP, row).map((chip) => chip.getAttribute('href')))];
  } else if (links) {
    state.answer = sources()?.answer || '';
    state.links = links.includes(link) ? links : [];
  }
  state.link = link;
  root.dataset.panel = 'open';
  state.dismissed = false;
  drawArticle(article);
  markCurrent();
}

function step(by) {
  const place = state.links.indexOf(state.link);
  if (place < 0) return;
  openArticle(state.links[(place + by + state.links.length) % state.links.length]);
}

function openList(opener) {
  state.opener = opener;
  state.dismissed = false;
  root.dataset.panel = 'open';
  drawList();
  one('.fn-close', element).focus();
}

function closePanel() {
  if (root.dataset.panel !== 'open') return;
  delete root.dataset.panel;
  state.dismissed = true;
  state.link = null;
  markCurrent();
  const opener = state.opener;
  if (opener && opener.isConnected) opener.focus({ preventScroll: true });
  else box()?.focus({ preventScroll: true });
}

function markCurrent() {
  for (const chip of all('#chat ' + CHIP)) {
    if (chip.getAttribute('href') === state.link) chip.setAttribute('aria-current', 'true');
    else chip.removeAttribute('aria-current');
  }
}

// What to go on with, from the articles that were cited: asked for once the answer is there.
async function suggest(shown) {
  const place = one('#told');
  one('.fn-go-on', place)?.remove();
  if (!shown?.done || !shown.answer || state.suggested === shown.answer) return;
  state.suggested = shown.answer;
  const answer = await call('suggestions', shown.answer);
  if (!answer?.questions?.length || sources()?.answer !== shown.answer) return;
  const list = make('ul', 'fn-go-on', null, { 'aria-label': say('go_on') });
  for (const question of answer.questions) {
    const item = make('li');
    item.append(button('', question, () => askQuestion(question), { dir: 'auto' }));
    list.append(item);
  }
  one('.fn-go-on', place)?.remove();
  place.prepend(list);
}

function onValue() {
  const shown = sources();
  remember(props.value?.conversation);
  suggest(shown);
  if (!shown) {
    state.suggested = '';
    state.turn = 0;
    delete root.dataset.panel;
    state.dismissed = false;
    drawList();
    return;
  }
  const isNew = shown.turn !== state.turn;
  state.turn = shown.turn;
  // A link that somebody sent: the answer is here now, and the citation opens.
  if (isNew && shown.sent && location.hash.startsWith('#src-')) {
    openArticle(location.hash, null, cardLinks());
    return;
  }
  if (isNew && !phone.matches && !state.dismissed && shown.cards.length) root.dataset.panel = 'open';
  if (isNew || !state.link) drawList();
}
