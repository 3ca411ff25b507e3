/**
 * Reads the facts from the tables of docs/PROTOCOL.md. The first header cell says what a table lists:
 *
 * - `request`, `frame`, `item`, `entry`, `object`, `route`: a name, and in the columns payload, answer, fields and body its
 *   form, such as `{ room, invite? }`, or the name of an object; alternatives follow each other; a dash means none
 * - `field`: the fields of the object in the heading above
 * - `kind`, `code`, `feature`: a name and its properties
 *
 * The name of a limit follows its value in parentheses, as in "100 items (`APPEND_MAX_ITEMS`)", or precedes it in a table.
 */
import { asOneWord, type Facts, KIND_COLUMNS, type Words } from './protocolFacts.ts';

export function readProtocolDocument(text: string): Facts {
  const said = tablesOf(text).flatMap(factsOfTable);
  const objects = new Map(said.flatMap(({ key, form }) => (form.tag === 'words' ? [[key, form.words]] : [])));
  const facts = new Map<string, Words>();
  for (const { key, form } of [...said, ...limitsIn(text), ...protocolIn(text)]) {
    const words =
      form.tag === 'words' ? form.words : (objects.get(objectKey(form.name)) ?? unknown(form.name));
    facts.set(key, new Set([...(facts.get(key) ?? []), ...words]));
  }
  return facts;
}

interface Fact {
  key: string;
  form: Form;
}

/** `object`: the name of an object that another table describes. */
type Form = { tag: 'words'; words: Words } | { tag: 'object'; name: string };

interface Table {
  /** The last heading above the table. */
  heading: string;
  header: string[];
  rows: string[][];
}

function factsOfTable({ heading, header: [subject = '', ...columns], rows }: Table): Fact[] {
  if (subject === 'field') {
    const object = namesIn(heading);
    const fields = rows.map(([field = '']) => namesIn(field)[0] ?? '').join(', ');
    return object.length === 1 ? [{ key: objectKey(object[0]!), form: formOf(`{ ${fields} }`) }] : [];
  }
  const properties = PROPERTIES.get(subject);
  return rows.flatMap(([first = '', ...cells]) => {
    const [name] = namesIn(first);
    if (name === undefined) return [];
    const key = `${subject} \`${name}\``;
    if (properties) return { key, form: { tag: 'words', words: propertiesIn(columns, cells, properties) } };
    if (subject === 'object') return { key, form: formIn(cells[columns.indexOf('fields')]) };
    if (!FORMED.has(subject)) return [];
    return columns.flatMap((column, i) =>
      FORMS.has(column) ? { key: `${key}: ${column}`, form: formIn(cells[i]) } : [],
    );
  });
}

const FORMED: ReadonlySet<string> = new Set(['request', 'frame', 'item', 'entry', 'route']);
const FORMS: ReadonlySet<string> = new Set(['payload', 'answer', 'fields', 'body']);
/** The columns that are compared, by the first header cell; the other columns are free text. */
const PROPERTIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['kind', KIND_COLUMNS],
  ['code', ['status', 'class']],
  ['feature', []],
]);

function objectKey(name: string): string {
  return `object \`${name}\``;
}

function unknown(name: string): Words {
  return new Set([`\`${name}\`, which no table describes`]);
}

function propertiesIn(columns: string[], cells: string[], compared: readonly string[]): Words {
  const said = columns.flatMap((column, i) => {
    const value = (cells[i] ?? '').replaceAll('`', '');
    return compared.includes(column) && value !== '' && value !== DASH ? `${column}: ${value}` : [];
  });
  return new Set(said);
}

const DASH = '–';

/** The form in a cell; several forms are alternatives. */
function formIn(cell = ''): Form {
  const names = namesIn(cell);
  const [only] = names;
  if (only === undefined) return { tag: 'words', words: new Set() };
  if (names.length === 1) return formOf(only);
  return { tag: 'words', words: new Set(names.map((form) => asOneWord(fieldsOf(form)))) };
}

function formOf(text: string): Form {
  return text.startsWith('{') ? { tag: 'words', words: fieldsOf(text) } : { tag: 'object', name: text };
}

/** `{ a, b?, c?: { d } }` → a, b?, c?, c.d. Brackets are any id; a word after a colon is not a field. */
function fieldsOf(form: string): Words {
  const words = new Set<string>();
  const outer: string[] = [];
  let last = '';
  for (const [token] of form.matchAll(/\[\w+\]|: \w+|\w+\??|[{}]/g)) {
    if (token === '{' && last !== '') outer.push(last.replace('?', ''));
    else if (token === '}') outer.pop();
    else if (/^[[\w]/.test(token)) {
      last = token.startsWith('[') ? '[id]' : token;
      words.add([...outer, last].join('.'));
    }
  }
  return words;
}

/** All texts in backticks. */
function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}

function tablesOf(text: string): Table[] {
  const tables: Table[] = [];
  let heading = '';
  let table: Table | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) heading = line;
    if (!line.startsWith('|')) table = undefined;
    else if (!table) {
      table = { heading, header: cellsOf(line), rows: [] };
      tables.push(table);
    } else if (!/^\|[\s|:-]+$/.test(line)) table.rows.push(cellsOf(line));
  }
  return tables;
}

function cellsOf(line: string): string[] {
  return line
    .slice(1)
    .replace(/\|\s*$/, '')
    .split('|')
    .map((cell) => cell.trim());
}

function protocolIn(text: string): Fact[] {
  const version = /^# .*protocol (\d+)/im.exec(text)?.[1];
  return version === undefined
    ? []
    : [{ key: 'protocol', form: { tag: 'words', words: new Set([version]) } }];
}

function limitsIn(text: string): Fact[] {
  return text.split('\n').flatMap((line) =>
    [...line.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)].map((match) => {
      const name = match[1]!;
      const [before, after] = [line.slice(0, match.index), line.slice(match.index + match[0].length)];
      const value = valueBeside(name, before, after) ?? 'no value beside it';
      return { key: `limit \`${name}\``, form: { tag: 'words', words: new Set([value]) } };
    }),
  );
}

/** The number beside the name of a limit, in the unit of that name. */
function valueBeside(name: string, before: string, after: string): string | undefined {
  const isBehind = before.endsWith('(') && after.startsWith(')');
  const found = isBehind
    ? [...before.matchAll(QUANTITY)].at(-1)
    : before.trim() === '|'
      ? [...after.matchAll(QUANTITY)][0]
      : undefined;
  if (!found) return undefined;
  const factor = FACTORS[found[2] ?? ''] ?? 1;
  const isInSeconds = name.endsWith('_S') && TIMES.has(found[2] ?? '');
  return String((Number(found[1]!.replaceAll(',', '')) * factor) / (isInSeconds ? 1_000 : 1));
}

const QUANTITY = /(\d[\d,]*)(?: (KiB|ms|s|min|h|days)\b)?/g;
const FACTORS: Readonly<Record<string, number>> = {
  KiB: 1024,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
};
const TIMES: ReadonlySet<string> = new Set(['ms', 's', 'min', 'h', 'days']);
