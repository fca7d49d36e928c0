// --- Which articles are asked ---------------------------------------------------------------
// The choice is kept in a hidden field that goes along with every question.

const chosen = { patterns: [], since: '', until: '' };
const filterPage = dialog('fn-filter', say('filter'));

const isChosen = () => Boolean(chosen.patterns.length || chosen.since || chosen.until);
const plainName = (pattern) => pattern.replace(/\[(.)\]/g, '$1');
// As Python's glob.escape: the marks of a pattern that stand in a name.
const exactly = (name) => name.replace(/[*?[]/g, '[$&]');

function chosenWords() {
  const words = [];
  if (chosen.patterns.length > 2) words.push(say('filter_files', { count: chosen.patterns.length }));
  else words.push(...chosen.patterns.map((pattern) => plainName(pattern)));
  if (chosen.since && chosen.until) words.push(say('filter_dates', chosen));
  else if (chosen.since) words.push(say('filter_dates_since', chosen));
  else if (chosen.until) words.push(say('filter_dates_until', chosen));
  return words.join(', ');
}

function drawChoice() {
  const place = one('#only .fn-only');
  if (!place) return;
  const field = one('#selection textarea, #selection input');
  if (field) write(field, isChosen() ? JSON.stringify(chosen) : '');
  const words = isChosen() ? say('filter_on', { chosen: chosenWords() }) : say('filter');
  const parts = [button('fn-chosen', words, openFilter, { 'aria-haspopup': 'dialog', 'aria-pressed': isChosen() })];
  if (isChosen()) parts.push(button('fn-icon fn-close', null, clearChoice, { 'aria-label': say('filter_off'), title: say('filter_off') }));
  place.replaceChildren(...parts);
}

function clearChoice() {
  Object.assign(chosen, { patterns: [], since: '', until: '' });
  drawChoice();
  one('#only button').focus();
}

async function openFilter() {
  filterPage.replaceChildren();
  filterPage.showModal();
  const table = await call('library_table');
  if (!table || table.error) return filterPage.close();
  const head = make('header', 'fn-dialog-bar');
  head.append(make('h2', 'fn-title', say('filter')), button('fn-icon fn-close', null, () => filterPage.close(), { 'aria-label': say('close') }));
  const body = make('div', 'fn-dialog-body');
  const find = make('input', 'fn-field', null, { type: 'search', placeholder: say('filter_find'), 'aria-label': say('filter_find') });
  const dates = make('div', 'fn-row');
  for (const edge of ['since', 'until']) {
    const named = make('label', 'fn-day', say(`filter_${edge}`));
    const field = make('input', 'fn-field', null, { type: 'date' });
    field.value = chosen[edge];
    field.addEventListener('change', () => {
      chosen[edge] = field.value;
      drawChoice();
    });
    named.append(field);
    dates.append(named);
  }
  const folders = new Set();
  for (const { file } of table.files)
    for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) folders.add(file.slice(0, end));
  const entries = [
    ...[...folders].sort().map((folder) => [`${exactly(folder)}/*`, `${folder}/`, '']),
    ...table.files.map((file) => [exactly(file.file), file.title, file.file]),
  ];
  const list = make('ul', 'fn-choices');
  const rest = make('p', 'fn-empty');
  function show() {
    const words = find.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fitting = entries.filter((entry) => words.every((word) => `${entry[1]} ${entry[2]}`.toLocaleLowerCase().includes(word)));
    // What is on comes first, or it could not be found to be turned off.
    fitting.sort((a, b) => chosen.patterns.includes(b[0]) - chosen.patterns.includes(a[0]));
    list.replaceChildren(...fitting.slice(0, ROWS).map(choice));
    rest.textContent = !fitting.length ? say('filter_none') : fitting.length > ROWS ? say('filter_more', { count: count(fitting.length - ROWS) }) : '';
  }
  function choice([pattern, name, file]) {
    const item = make('li');
    const named = make('label', '', null, { dir: 'auto' });
    const tick = make('input', '', null, { type: 'checkbox' });
    tick.checked = chosen.patterns.includes(pattern);
    tick.addEventListener('change', () => {
      chosen.patterns = chosen.patterns.filter((kept) => kept !== pattern);
      if (tick.checked) chosen.patterns.push(pattern);
      drawChoice();
    });
    named.append(tick, make('span', '', name), make('span', 'fn-where', file));
    item.append(named);
    return item;
  }
  find.addEventListener('input', show);
  const foot = make('footer', 'fn-row');
  foot.append(
    button('fn-plain', say('filter_clear'), () => {
      clearChoice();
      filterPage.close();
    }),
    button('fn-strong', say('filter_done'), () => filterPage.close()),
  );
  body.append(find, dates, list, rest);
  filterPage.replaceChildren(head, body, foot);
  show();
  find.focus();
}
