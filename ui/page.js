// What the other scripts share: making elements, words, the clipboard, the theme, the keys. gradio
// runs page.js, panel.js, library.js, map.js, filter.js and conversations.js as one function, once,
// with `element`, `props`, `watch`, `trigger`, `upload` and `server`. Every text that comes from an
// article is put in place with textContent: nothing in it can become markup.

const CHIP = 'a[href^="#src-"]';
const root = document.documentElement;
const phone = matchMedia('(max-width: 760px)');
const app = document.querySelector('#app');
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const say = (key, values = {}) =>
  window.footnoteStrings[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
const count = (number) => Number(number).toLocaleString('en');

function make(tag, name, text, attributes = {}) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function button(name, text, act, attributes = {}) {
  const made = make('button', name, text, { type: 'button', ...attributes });
  made.addEventListener('click', act);
  return made;
}

// A dialog over the page: the browser keeps the focus in it, and Escape closes it.
function dialog(name, label) {
  const made = make('dialog', `fn-dialog ${name}`, null, { 'aria-label': label });
  // A click beside it: only the backdrop is the dialog itself.
  made.addEventListener('click', (event) => event.target === made && made.close());
  app.append(made);
  return made;
}

// Whether somebody really wants what cannot be taken back.
function agreed(words, act) {
  const asking = dialog('fn-asking', words);
  return new Promise((answer) => {
    const buttons = make('div', 'fn-row');
    buttons.append(
      button('fn-plain', say('keep'), () => asking.close()),
      button('fn-strong fn-danger', act, () => asking.close('yes')),
    );
    asking.append(make('p', '', words, { dir: 'auto' }), buttons);
    asking.addEventListener('close', () => {
      asking.remove();
      answer(asking.returnValue === 'yes');
    });
    asking.showModal();
  });
}

const box = () => one('#ask textarea');
function write(field, words) {
  field.value = words;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

// A question back in the box, to be changed; or asked at once.
function editQuestion(words) {
  write(box(), words);
  box().focus();
}
function askQuestion(words) {
  write(box(), words);
  // Once gradio has seen the words.
  requestAnimationFrame(() => one('#ask .submit-button')?.click());
}

let noted = '';
function note(words) {
  noted = words;
  const place = one('#say');
  if (place) place.textContent = words;
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without https there is no clipboard object.
  const field = make('textarea', 'fn-offscreen');
  field.value = text;
  (one('dialog[open]') || document.body).append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

async function copyAndTell(text, place) {
  await copyText(text);
  place.dataset.done = say('copied');
  setTimeout(() => delete place.dataset.done, 1500);
}

// Text of an answer as a person would type it: citations as [1], a blank line between paragraphs.
function readable(copy) {
  for (const gone of all('a[href^="#answer-"]', copy)) (gone.closest('li, p') || gone).remove();
  for (const gone of all('h6', copy)) gone.remove();
  for (const chip of all(CHIP, copy)) chip.textContent = `[${chip.textContent}]`;
  const parts = all('p, h1, h2, h3, h4, h5, ul, ol', copy)
    .filter((part) => !part.parentElement?.closest('ul, ol'))
    .map((part) =>
      part.matches('ul, ol') ? [...part.children].map((item) => `- ${item.textContent.trim().replace(/\s*\n\s*/g, '\n  ')}`).join('\n') : part.textContent);
  const text = parts.length ? parts.join('\n\n') : copy.textContent;
  return text.replaceAll('\u00a0', ' ').trim();
}

function download(name, type, text) {
  const link = make('a', '', '', { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// --- Calling the server ---------------------------------------------------------------------

// What a door answers, or null when nobody does; the page says so.
async function call(door, sent = null) {
  try {
    const answer = await server[door](sent);
    if (!answer) throw new Error('gradio tells of a server that is gone by giving nothing');
    if (noted) note('');
    if (answer.error) note(answer.error);
    return answer;
  } catch {
    note(say('stopped'));
    return null;
  }
}

// A question that nobody takes stays in the box without a word: ask whether the server is there.
const PATIENCE = 1_500; // Milliseconds.
function watchQuestion() {
  const [before, words] = [asked, box().value];
  if (words.trim()) setTimeout(() => asked === before && box().value === words && call('progress'), PATIENCE);
}

// --- Light and dark -------------------------------------------------------------------------

const THEMES = ['system', 'light', 'dark'];
const system = matchMedia('(prefers-color-scheme: dark)');
const theme = () => localStorage.getItem('footnote-theme') || 'system';

function showTheme() {
  const dark = theme() === 'system' ? system.matches : theme() === 'dark';
  root.dataset.theme = dark ? 'dark' : 'light';
  document.body.classList.toggle('dark', dark);
  root.dispatchEvent(new Event('footnote-theme'));
}

function switchTheme() {
  localStorage.setItem('footnote-theme', THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  showTheme();
  tidy();
}

// --- Names that gradio does not give --------------------------------------------------------

function label(selector, words) {
  for (const found of all(selector)) {
    if (found.getAttribute('aria-label') !== words) found.setAttribute('aria-label', words);
    if (found.matches('button') && found.title !== words) found.title = words;
  }
}

// At once, before anything reads the page: gradio calls the examples a list, and has no items in it.
function mend() {
  one('#chat .examples')?.setAttribute('role', 'group');
}

let asked = ''; // How many questions there are, and the last one: a new one is scrolled to.
function tidy() {
  label('#ask .submit-button', say('ask'));
  label('#ask .stop-button', say('stop'));
  label('#ask textarea', say('question'));
  for (const name of ['new', 'sources', 'library', 'conversations']) label(`#open-${name}`, say(name));
  label('#theme', say('theme', { theme: say(`theme_${theme()}`) }));
  if (one('#theme')) one('#theme').dataset.theme = theme();
  label('#chat [data-testid=user]', say('asked'));
  label('#chat [data-testid=bot]', say('answer'));
  for (const text of all('#chat .md > *, #ask textarea')) if (!text.dir) text.dir = 'auto';
  one('#note')?.setAttribute('role', 'status');
  if (one('#only .fn-only') && !one('#only button')) drawChoice();
  const log = one('#chat [role=log]');
  const rows = all('#chat .user-row');
  root.dataset.asked = rows.length ? 'yes' : 'no';
  const now = `${rows.length} ${rows.at(-1)?.textContent}`;
  if (now !== asked && rows.length && log)
    log.scrollTop += rows.at(-1).getBoundingClientRect().top - log.getBoundingClientRect().top - 20;
  asked = now;
  markCurrent();
}
