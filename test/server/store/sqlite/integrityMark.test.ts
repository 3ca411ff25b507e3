import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import {
  markFileOf,
  readMark,
  removeMark,
  writeMark,
} from '../../../../server/store/sqlite/integrityMark.ts';
import { newFolder } from './harness.ts';

let file: string;
beforeEach(async () => {
  const folder = await newFolder();
  file = join(folder, 'a.db');
  writeFileSync(file, 'a database');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it.each(['whole', 'damaged'] as const)('reports that the file is %s, until the mark is removed', (known) => {
  expect(readMark(file)).toBe('unknown');
  writeMark(file, known);
  expect(readMark(file)).toBe(known);
  removeMark(file);
  removeMark(file);
  expect(readMark(file)).toBe('unknown');
});

it('reports nothing for a file that was written to since', () => {
  writeMark(file, 'whole');
  appendFileSync(file, ' and more');
  expect(readMark(file)).toBe('unknown');
});

it('reports nothing, and is not written, while the WAL file holds commits', () => {
  writeMark(file, 'whole');
  writeFileSync(`${file}-wal`, '');
  expect(readMark(file)).toBe('whole');
  writeFileSync(`${file}-wal`, 'a change');
  expect(readMark(file)).toBe('unknown');
  removeMark(file);
  expect(readMark(file)).toBe('unknown');
  writeMark(file, 'whole');
  rmSync(`${file}-wal`);
  expect(readMark(file)).toBe('unknown');
});

it('reports nothing for a broken mark, or a missing file', () => {
  writeFileSync(markFileOf(file), 'whole');
  expect(readMark(file)).toBe('unknown');
  rmSync(file);
  expect(readMark(file)).toBe('unknown');
  rmSync(markFileOf(file));
  expect(readMark(file)).toBe('unknown');
});
