// --- Conversations, and what starts everything ----------------------------------------------

const FORMATS = { md: ['Markdown', 'text/markdown'], html: ['HTML', 'text/html'], json: ['JSON', 'application/json'] };
const conversationsPage = dialog('fn-conversations', say('conversations'));
const find = make('input', 'fn-field', null, { type: 'search', placeholder: say('find_conversation'), 'aria-label': say('find_conversation') });

// Which conversation this tab shows: a reload brings it back.
function remember(id) {
  if (id) sessionStorage.setItem('footnote-conversation', id);
  else sessionStorage.removeItem('footnote-conversation');
}
const current = () => sessionStorage.getItem('footnote-conversation') || '';

async function openConversations() {
  const head = make('header', 'fn-dialog-bar');
  head.append(make('h2', 'fn-title', say('conversations')), button('fn-icon fn-close', null, () => conversationsPage.close(), { 'aria-label': say('close') }));
  const body = make('div', 'fn-dialog-body');
  body.append(find, make('ul', 'fn-list'));
  conversationsPage.replaceChildren(head, body);
  find.value = '';
  if (!conversationsPage.open) conversationsPage.showModal();
  await listConversations();
}

async function listConversations() {
  const answer = await call('conversations_list', find.value);
  const list = one('.fn-list', conversationsPage);
  if (!answer || answer.error || !list) return;
  list.replaceChildren(...answer.conversations.map(entry));
  if (!answer.conversations.length) list.append(make('li', 'fn-empty', say(find.value.trim() ? 'nothing_found' : 'no_conversations')));
}

function entry(conversation) {
  const made = make('li', 'fn-entry');
  const { id, title, exchanges } = conversation;
  const opened = button('fn-open', title, () => openConversation(id), { dir: 'auto' });
  if (id === current()) opened.setAttribute('aria-current', 'true');
  const when = new Date(conversation.updated).toLocaleDateString('en', { dateStyle: 'medium' });
  const many = exchanges === 1 ? say('questions_one') : say('questions_many', { count: exchanges });
  opened.append(make('span', 'fn-where', `${when} · ${many}`));
  const menu = make('details', 'fn-menu');
  menu.append(make('summary', 'fn-icon fn-dots', null, { 'aria-label': say('more', { title }) }));
  const actions = make('div', 'fn-menu-list');
  actions.append(button('', say('rename'), () => rename(made, conversation)));
  for (const [format, [name]] of Object.entries(FORMATS)) actions.append(button('', say('export', { format: name }), () => exportAs(conversation, format, menu)));
  actions.append(button('fn-danger', say('delete'), () => forget(conversation)));
  menu.append(actions);
  made.append(opened, menu);
  return made;
}

function openConversation(id) {
  conversationsPage.close();
  state.dismissed = false;
  trigger('open', { conversation: id });
}

function rename(made, conversation) {
  const form = make('form', 'fn-row');
  const field = make('input', 'fn-field', null, { 'aria-label': say('rename'), maxlength: 120 });
  field.value = conversation.title;
  form.append(field, make('button', 'fn-strong', say('save')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    await call('rename', { conversation: conversation.id, title: field.value });
    await listConversations();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault(); // The list stays open.
    event.stopPropagation();
    listConversations();
  });
  made.replaceChildren(form);
  field.select();
}

async function forget({ id, title }) {
  if (!(await agreed(say('delete_ask', { title }), say('delete')))) return;
  await call('forget', id);
  if (id === current()) one('#open-new').click();
  await listConversations();
}

async function exportAs({ id, title }, format, menu) {
  menu.open = false;
  const answer = await call('save', { conversation: id, format });
  if (!answer || answer.error) return;
  const name = title.replace(/[^\p{L}\p{N} _-]+/gu, '').trim().slice(0, 60) || 'conversation';
  download(`${name}.${format}`, FORMATS[format][1], answer.text);
}

find.addEventListener('input', listConversations);

// --- Clicks and keys ------------------------------------------------------------------------

const listeners = {
  async click(event) {
    const target = event.target.closest ? event.target : event.target.parentElement;
    const chip = target.closest('#chat ' + CHIP);
    const copy = target.closest('#chat button[aria-label="Copy message"]');
    const link = target.closest('#chat a[href^="#"]')?.getAttribute('href') || '';
    for (const menu of all('.fn-menu[open]')) if (!menu.contains(target)) menu.open = false;
    if (link) event.preventDefault();
    if (target.closest('#ask .submit-button')) watchQuestion();
    else if (chip) await openArticle(link, chip);
    else if (link === '#ask') editQuestion(target.closest('a').textContent);
    else if (link === '#build') {
      await openLibrary();
      await rebuild();
    } else if (link.startsWith('#answer-')) await copyAndTell(answerLink(link.slice(8)), target.closest('a'));
    else if (target.id === 'app') closePanel();
    else if (target.closest('#theme')) switchTheme();
    else if (target.closest('#open-library')) await openLibrary();
    else if (target.closest('#open-conversations')) await openConversations();
    else if (target.closest('#open-sources')) {
      if (root.dataset.panel === 'open') closePanel();
      else openList(target.closest('#open-sources'));
    } else if (copy) {
      event.stopImmediatePropagation();
      const message = one('.message-content .md', copy.closest('.message-row'));
      await copyAndTell(readable(message.cloneNode(true)), copy);
    }
  },
  keydown(event) {
    if (event.key === 'Enter' && !event.shiftKey && event.target === box()) watchQuestion();
    if (event.key === 'Escape' && !one('dialog[open]')) closePanel();
    const typing = event.target.closest?.('input, textarea, select, [contenteditable=true]');
    if (typing || event.ctrlKey || event.metaKey || event.altKey || one('dialog[open]')) return;
    if (event.key === '/') {
      event.preventDefault();
      box()?.focus();
    } else if (event.key === '[') step(-1);
    else if (event.key === ']') step(1);
  },
  copy(event) {
    const selection = document.getSelection();
    if (!selection.rangeCount || event.target.closest?.('textarea, input')) return;
    const copied = selection.getRangeAt(0).cloneContents();
    if (!one(CHIP, copied)) return;
    event.clipboardData.setData('text/plain', readable(copied));
    event.preventDefault();
  },
};

// The panel may be mounted again: the listeners of the last time go first.
if (window.footnote) window.footnote.remove();
const observer = new MutationObserver(() => {
  mend();
  requestAnimationFrame(tidy);
});
for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
system.addEventListener('change', showTheme);
observer.observe(one('#main'), { childList: true, subtree: true });
const LOOK = 15_000; // Milliseconds between two looks whether files have changed.
const looking = setInterval(() => document.visibilityState === 'visible' && lookForChanges(), LOOK);
window.footnote = {
  call,
  remove() {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
    system.removeEventListener('change', showTheme);
    observer.disconnect();
    clearInterval(looking);
    for (const made of [libraryPage, filterPage, conversationsPage]) made.remove();
  },
};
element.setAttribute('role', 'complementary');
element.setAttribute('aria-label', say('sources'));
watch('value', onValue);
showTheme();
drawList();
drawChoice();
mend();
tidy();
lookForChanges();
const sent = new URLSearchParams(location.search).has('answer');
if (current() && !sent) trigger('open', { conversation: current() });
