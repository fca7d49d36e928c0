// --- The library: what is indexed, how much of it, and changing it ---------------------------

const WHOLE = '0-0-e3b0c442'; // Of a link: an article as such, no words of it marked.
const ROWS = 200; // Drawn at once; a search finds the rest.
const library = { table: null, view: 'files', sort: 'title', down: false, changes: null, running: false, chosen: '' };
const libraryPage = dialog('fn-library', say('library'));
const whole = (file) => `#src-${file.token}-${WHOLE}`;

const COLUMNS = [
  ['title', (file) => file.title, ''],
  ['date', (file) => file.date || '', ''],
  ['words', (file) => file.words, 'number'],
  ['passages', (file) => file.passages, 'number'],
  ['coverage', (file) => file.coverage, 'number'],
  ['left_out', (file) => file.left_out.length + file.remarks.length, ''],
  ['indexed', (file) => file.indexed, ''],
];

const when = (date, timeStyle) => new Date(date).toLocaleString('en', { dateStyle: 'medium', timeStyle });

async function openLibrary() {
  libraryPage.showModal();
  if (!library.table) drawLibrary();
  library.table = await call('library_table');
  await lookForChanges();
  drawLibrary();
}

function showArticle(link) {
  libraryPage.close();
  openArticle(link, null, []);
}

function drawLibrary() {
  const table = library.table;
  const head = make('header', 'fn-dialog-bar');
  head.append(make('h2', 'fn-title', say('library')));
  const tabs = make('div', 'fn-tabs', null, { role: 'tablist', 'aria-label': say('library') });
  for (const view of ['files', 'map', 'timeline']) {
    const chosen = library.view === view;
    const tab = button('', say(view), () => showView(view), { role: 'tab', 'aria-selected': chosen, tabindex: chosen ? 0 : -1, 'data-view': view });
    tabs.append(tab);
  }
  tabs.addEventListener('keydown', (event) => {
    const views = ['files', 'map', 'timeline'];
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) showView(views[(views.indexOf(library.view) + by + 3) % 3]);
  });
  head.append(tabs, button('fn-icon fn-close', null, () => libraryPage.close(), { 'aria-label': say('close') }));
  const body = make('div', 'fn-dialog-body', null, { role: 'tabpanel', 'aria-label': say(library.view), tabindex: 0 });
  libraryPage.replaceChildren(head, make('div', 'fn-build', null, { role: 'status' }), body);
  drawBuild();
  if (!table || table.error) return;
  if (library.view === 'files') drawFiles(body);
  else if (library.view === 'map') drawMap(body);
  else drawTimeline(body);
}

function showView(view) {
  library.view = view;
  drawLibrary();
  one(`[data-view=${view}]`, libraryPage).focus();
}

// --- The table ------------------------------------------------------------------------------

function drawFiles(body) {
  const table = library.table;
  const line = make('div', 'fn-row');
  const find = make('input', 'fn-field', null, { type: 'search', placeholder: say('find_file'), 'aria-label': say('find_file') });
  find.value = library.chosen;
  line.append(find);
  const rows = make('tbody');
  const rest = make('p', 'fn-empty');
  find.addEventListener('input', () => {
    library.chosen = find.value;
    drawRows(rows, rest);
  });
  const picker = make('input', '', null, { type: 'file', multiple: '', hidden: '' });
  picker.addEventListener('change', () => add([...picker.files]));
  if (table.changeable) line.append(button('fn-strong', say('add'), () => picker.click()), picker);
  const built = table.built ? when(table.built, 'short') : '';
  body.append(line, make('p', 'fn-told', say('library_counts', { articles: count(table.articles), passages: count(table.passages), built })));
  const grid = make('table', 'fn-table');
  const head = make('tr');
  for (const [name] of COLUMNS) {
    const cell = make('th', `col-${name}`, null, { scope: 'col' });
    if (library.sort === name) cell.setAttribute('aria-sort', library.down ? 'descending' : 'ascending');
    cell.append(button('', say(`column_${name}`), () => sortBy(name)));
    head.append(cell);
  }
  const top = make('thead');
  top.append(head);
  grid.append(top, rows);
  body.append(grid, rest);
  drawRows(rows, rest);
  if (table.skipped.length) {
    const more = make('details', 'fn-more');
    more.append(make('summary', '', say('not_indexed', { count: table.skipped.length })));
    for (const file of table.skipped.slice(0, ROWS)) more.append(make('p', 'fn-where', `${file.file}: ${file.reason}`));
    body.append(more);
  }
}

function sortBy(name) {
  library.down = library.sort === name ? !library.down : false;
  library.sort = name;
  drawLibrary();
  one(`.fn-table .col-${name} button`, libraryPage).focus();
}

function chosenFiles() {
  const words = library.chosen.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const [, value] = COLUMNS.find(([name]) => name === library.sort);
  const files = library.table.files.filter((file) => {
    const text = `${file.title} ${file.file}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
  const order = (a, b) => (typeof a === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true }));
  files.sort((a, b) => order(value(a), value(b)) * (library.down ? -1 : 1));
  return files;
}

function drawRows(rows, rest) {
  const files = chosenFiles();
  rows.replaceChildren(...files.slice(0, ROWS).map(row));
  rest.textContent = files.length > ROWS ? say('more_files', { count: count(files.length - ROWS) }) : '';
}

function row(file) {
  const made = make('tr');
  const changed = library.changes?.changed.includes(file.file) || library.changes?.removed.includes(file.file);
  for (const [name, value, kind] of COLUMNS) {
    const cell = make('td', `col-${name} ${kind}`);
    if (name === 'title') {
      cell.append(button('fn-open', file.title, () => showArticle(whole(file)), { dir: 'auto' }));
      cell.append(make('span', 'fn-where', file.file + (changed ? ' ●' : '')));
      if (file.copy_of) cell.append(make('span', 'fn-where', say('copy_of', { file: file.copy_of })));
      if (file.upload && library.table.changeable)
        cell.append(button('fn-icon fn-remove', null, () => remove(file.file), { 'aria-label': say('remove', { name: file.file }), title: say('remove', { name: file.file }) }));
    } else if (name === 'coverage') cell.textContent = `${(100 * file.coverage).toFixed(0)}\u00a0%`;
    else if (name === 'left_out') {
      const told = [...file.left_out.map(([reason, share]) => `${reason} (${(100 * share).toFixed(1)}\u00a0%)`), ...file.remarks];
      cell.textContent = told.join('; ');
    } else if (name === 'indexed') cell.append(make('time', '', when(file.indexed), { datetime: file.indexed }));
    else cell.textContent = kind === 'number' ? count(value(file)) : value(file);
    cell.dataset.label = say(`column_${name}`);
    made.append(cell);
  }
  return made;
}

// --- Changing it ----------------------------------------------------------------------------

async function lookForChanges() {
  const changes = await call('changes');
  if (!changes || changes.error) return;
  library.changes = changes;
  const total = changes.new.length + changes.changed.length + changes.removed.length;
  const opener = one('#open-library');
  if (opener) opener.dataset.count = total || '';
  if (changes.running && !library.running) follow();
}

function drawBuild(progress) {
  const place = one('.fn-build', libraryPage);
  if (!place || !library.table) return;
  const parts = [];
  const changes = library.changes;
  const total = changes ? changes.new.length + changes.changed.length + changes.removed.length : 0;
  if (progress?.running) {
    const known = progress.total > 1;
    const words = known
      ? say('building_counted', { stage: progress.stage, done: count(progress.done), total: count(progress.total) })
      : say('building', { stage: progress.stage });
    const bar = make('progress', '', null, { 'aria-label': words });
    if (known) Object.assign(bar, { max: progress.total, value: progress.done });
    parts.push(make('span', '', words), bar);
    if (library.table.changeable) parts.push(button('fn-plain', say('cancel'), () => call('cancel')));
    if (progress.note) parts.push(make('span', 'fn-where', progress.note));
  } else {
    const told = library.told || (total ? say('changed_count', { count: count(total) }) : say('up_to_date'));
    parts.push(make('span', '', changes?.unreachable || told));
    if (total && library.table.changeable) parts.push(button('fn-strong', say('rebuild'), rebuild));
  }
  place.replaceChildren(...parts);
}

function tell(words) {
  library.told = words;
  drawBuild();
}

async function add(files) {
  const added = [];
  for (const file of files) {
    tell(say('adding', { name: file.name }));
    try {
      const { path } = await upload(file);
      const answer = await call('add', { name: file.name, path });
      if (!answer) return;
      if (answer.error) return tell(answer.error);
      added.push(answer.file);
    } catch {
      return tell(say('too_large', { name: file.name }));
    }
  }
  if (!added.length) return;
  tell(say('added', { names: added.join(', ') }));
  await rebuild();
}

async function remove(file) {
  if (!(await agreed(say('remove_ask', { name: file }), say('remove_it')))) return;
  const answer = await call('remove_file', file);
  if (answer?.error) return tell(answer.error);
  await rebuild();
}

async function rebuild() {
  const answer = await call('rebuild');
  if (answer?.error) return tell(answer.error);
  await follow();
}

// Draws how far the build is until it ends; whoever opens the page meanwhile sees it too.
async function follow() {
  if (library.running) return;
  library.running = true;
  library.told = '';
  let progress = null;
  do {
    progress = await call('progress');
    if (!progress) break;
    drawBuild(progress);
    await new Promise((done) => setTimeout(done, 300));
  } while (progress.running);
  library.running = false;
  if (!progress) return;
  const report = progress.report;
  library.told = progress.error || (report ? say('built', report) : say('cancelled'));
  if (library.table) library.table = await call('library_table');
  await lookForChanges();
  if (libraryPage.open) drawLibrary();
  trigger('built');
}

libraryPage.addEventListener('dragover', (event) => {
  if (!library.table?.changeable) return;
  event.preventDefault();
  libraryPage.dataset.drop = say('drop');
});
libraryPage.addEventListener('dragleave', (event) => event.target === libraryPage && delete libraryPage.dataset.drop);
libraryPage.addEventListener('drop', (event) => {
  event.preventDefault();
  delete libraryPage.dataset.drop;
  if (library.table?.changeable) add([...event.dataTransfer.files]);
});
