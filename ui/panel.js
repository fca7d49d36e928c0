// The source panel, and the small things that gradio leaves to the page: shortcuts, theme, labels.
// gradio runs this once with `element`, `props`, `watch` and `server`. Every text that comes from
// an article is put in place with textContent: nothing in it can become markup.

const CHIP = 'a[href^="#src-"]';
const root = document.documentElement;
const phone = matchMedia('(max-width: 760px)');
const state = { turn: 0, link: null, opener: null, dismissed: false };

const make = (tag, name, text, attributes = {}) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const sources = () => (props.value && props.value.cards ? props.value : null);

// --- What the panel shows -------------------------------------------------------------------

function draw(head, body, label) {
  const holder = element.querySelector('.fn-root');
  const bar = make('header', 'fn-bar');
  const close = make('button', 'fn-close', null, { type: 'button', 'aria-label': 'Close sources' });
  bar.append(...head, close);
  const scroll = make('div', 'fn-body', null, { tabindex: '-1', role: 'region', 'aria-label': label });
  scroll.append(...body);
  holder.replaceChildren(bar, scroll);
  return scroll;
}

function card(entry) {
  const made = make('button', 'fn-card', null, { type: 'button', 'data-link': entry.link });
  const title = make('span', 'fn-card-title');
  if (entry.number) title.append(make('span', 'fn-number', entry.number));
  title.append(make('span', '', entry.title));
  const where = [entry.file, entry.place].filter(Boolean).join(' · ');
  made.append(title, make('span', 'fn-where', where), make('span', 'fn-quote', entry.quote));
  return made;
}

function drawList() {
  state.link = null;
  const shown = sources();
  const body = shown ? shown.cards.map(card) : [];
  if (!body.length) body.push(make('p', 'fn-empty', 'The sources of an answer appear here.'));
  for (const [name, label] of [['own_words', 'In the articles’ own words'], ['looked_at', 'Also looked at']]) {
    const entries = (shown && shown[name]) || [];
    if (!entries.length) continue;
    const more = make('details', 'fn-more');
    more.append(make('summary', '', `${label} (${entries.length})`));
    more.append(...entries.map((entry) => card({ ...entry, number: null })));
    body.push(more);
  }
  const heading = shown ? shown.heading : 'Sources';
  draw([make('h2', 'fn-title', heading)], body, heading);
  markCurrent();
}

function block(part) {
  const tags = { title: 'h3', heading: 'h4' };
  const made = make(tags[part.kind] || 'p', `fn-block fn-${part.kind}`);
  if (part.line) made.dataset.line = part.line;
  for (const run of part.runs) {
    if (run.kind === 'cited' || run.kind === 'short') made.append(make('mark', `fn-${run.kind}`, run.text));
    else if (run.kind === 'left-out')
      made.append(make('span', 'fn-left-out', run.text, { title: `Left out: ${run.reason}` }));
    else made.append(run.text);
  }
  if (part.runs.every((run) => run.kind === 'left-out' || !run.text.trim())) made.classList.add('fn-gone');
  return made;
}

function drawArticle(article) {
  const back = make('button', 'fn-back', null, { type: 'button', 'aria-label': 'All sources' });
  const head = make('div', 'fn-head');
  head.append(make('h2', 'fn-title', article.title || 'Source'));
  const where = [article.file, article.place].filter(Boolean).join(' · ');
  head.append(make('p', 'fn-where', where));
  const body = (article.blocks || []).map(block);
  const note = article.error || article.note;
  if (note) body.unshift(make('p', 'fn-note', note, { role: 'status' }));
  const scroll = draw([back, head], body, `Source: ${article.title || 'not found'}`);
  const numbered = body.some((part) => part.dataset.line);
  scroll.classList.toggle('fn-numbered', numbered);
  const mark = scroll.querySelector('mark');
  scroll.focus({ preventScroll: true });
  if (mark) {
    const beyond = mark.getBoundingClientRect().top - scroll.getBoundingClientRect().top;
    scroll.scrollTop = beyond - scroll.clientHeight / 3;
  }
}

// --- Opening and closing --------------------------------------------------------------------

async function openArticle(link, opener) {
  state.opener = opener;
  const article = await server.article(link);
  state.link = link;
  root.dataset.panel = 'open';
  state.dismissed = false;
  drawArticle(article);
  markCurrent();
}

function openList(opener) {
  state.opener = opener;
  state.dismissed = false;
  root.dataset.panel = 'open';
  drawList();
  element.querySelector('.fn-close').focus();
}

function closePanel() {
  if (root.dataset.panel !== 'open') return;
  delete root.dataset.panel;
  state.dismissed = true;
  state.link = null;
  markCurrent();
  const opener = state.opener;
  if (opener && opener.isConnected) opener.focus({ preventScroll: true });
  else document.querySelector('#ask textarea')?.focus({ preventScroll: true });
}

function markCurrent() {
  for (const chip of document.querySelectorAll('#chat ' + CHIP)) {
    if (chip.getAttribute('href') === state.link) chip.setAttribute('aria-current', 'true');
    else chip.removeAttribute('aria-current');
  }
}

function onValue() {
  const shown = sources();
  if (!shown) {
    state.turn = 0;
    delete root.dataset.panel;
    state.dismissed = false;
    drawList();
    return;
  }
  const isNew = shown.turn !== state.turn;
  state.turn = shown.turn;
  if (isNew && !phone.matches && !state.dismissed && shown.cards.length) root.dataset.panel = 'open';
  if (isNew || !state.link) drawList();
}

// --- The page round it ----------------------------------------------------------------------

function setTheme(theme) {
  root.dataset.theme = theme;
  document.body.classList.toggle('dark', theme === 'dark');
}

function switchTheme() {
  const theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  localStorage.setItem('footnote-theme', theme);
  setTheme(theme);
}

// Text of an answer as a person would type it: citations as [1], a blank line between paragraphs.
function readable(copy) {
  for (const chip of copy.querySelectorAll(CHIP)) chip.textContent = `[${chip.textContent}]`;
  const parts = [...copy.querySelectorAll('p, h1, h2, h3, h4, h5, ul, ol')].map((part) =>
    part.matches('ul, ol') ? [...part.children].map((item) => `- ${item.textContent}`).join('\n') : part.textContent);
  const text = parts.length ? parts.join('\n\n') : copy.textContent;
  return text.replaceAll('\u00a0', ' ').trim();
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without https there is no clipboard object.
  const box = make('textarea', 'fn-offscreen');
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand('copy');
  box.remove();
}

async function copyAnswer(button) {
  const message = button.closest('.message-row').querySelector('.message-content .md');
  await copyText(readable(message.cloneNode(true)));
  button.dataset.done = 'true';
  setTimeout(() => delete button.dataset.done, 1500);
}

let questions = 0;
function tidy() {
  const label = (selector, words) => {
    for (const found of document.querySelectorAll(selector)) {
      if (found.getAttribute('aria-label') !== words) found.setAttribute('aria-label', words);
      if (found.matches('button') && found.title !== words) found.title = words;
    }
  };
  label('#ask .submit-button', 'Ask');
  label('#ask .stop-button', 'Stop');
  label('#ask textarea', 'Question');
  label('#theme', 'Light or dark');
  label('#new', 'New conversation');
  label('#sources', 'Sources');
  label('#chat [data-testid=user]', 'You asked');
  label('#chat [data-testid=bot]', 'Answer');
  document.querySelector('#note')?.setAttribute('role', 'status');
  const log = document.querySelector('#chat [role=log]');
  const asked = document.querySelectorAll('#chat .user-row');
  root.dataset.asked = asked.length ? 'yes' : 'no';
  if (asked.length > questions && log) {
    const row = asked[asked.length - 1];
    log.scrollTop += row.getBoundingClientRect().top - log.getBoundingClientRect().top - 20;
  }
  questions = asked.length;
  markCurrent();
}

// What was searched for, back in the box, to be changed and asked again.
function editQuestion(words) {
  const box = document.querySelector('#ask textarea');
  if (!box) return;
  box.value = words;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  box.focus();
}

const listeners = {
  async click(event) {
    const target = event.target.closest ? event.target : event.target.parentElement;
    const chip = target.closest('#chat ' + CHIP);
    const linked = target.closest('#panel [data-link]');
    const copy = target.closest('#chat button[aria-label="Copy message"]');
    const again = target.closest('#chat a[href="#ask"]');
    if (target.closest('#chat a[href="#unsupported"]')) event.preventDefault();
    else if (again) {
      event.preventDefault();
      editQuestion(again.textContent);
    } else if (chip) {
      event.preventDefault();
      await openArticle(chip.getAttribute('href'), chip);
    } else if (linked) await openArticle(linked.dataset.link, state.opener);
    else if (target.closest('#panel .fn-back')) openList(state.opener);
    else if (target.closest('#panel .fn-close') || target.id === 'app') closePanel();
    else if (target.closest('#theme')) switchTheme();
    else if (target.closest('#sources')) {
      if (root.dataset.panel === 'open') closePanel();
      else openList(target.closest('#sources'));
    } else if (copy) {
      event.stopImmediatePropagation();
      await copyAnswer(copy);
    }
  },
  keydown(event) {
    if (event.key === 'Escape') closePanel();
    const typing = event.target.closest?.('input, textarea, select, [contenteditable=true]');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.querySelector('#ask textarea')?.focus();
    }
  },
  copy(event) {
    const selection = document.getSelection();
    if (!selection.rangeCount || event.target.closest?.('textarea, input')) return;
    const copied = selection.getRangeAt(0).cloneContents();
    if (!copied.querySelector(CHIP)) return;
    event.clipboardData.setData('text/plain', readable(copied));
    event.preventDefault();
  },
};

// The panel may be mounted again: the listeners of the last time go first.
if (window.footnote) window.footnote.remove();
const observer = new MutationObserver(() => requestAnimationFrame(tidy));
const system = matchMedia('(prefers-color-scheme: dark)');
const follow = () => localStorage.getItem('footnote-theme') || setTheme(system.matches ? 'dark' : 'light');
for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
system.addEventListener('change', follow);
observer.observe(document.querySelector('#main'), { childList: true, subtree: true });
window.footnote = {
  remove() {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
    system.removeEventListener('change', follow);
    observer.disconnect();
  },
};
element.setAttribute('role', 'complementary');
element.setAttribute('aria-label', 'Sources');
watch('value', onValue);
setTheme(root.dataset.theme || 'light');
drawList();
tidy();
