import { expect, test } from 'vitest';
import { isOwnFile } from '../../../web/sw/isOwnFile.ts';

const PAGE = '<script src="/too-old.js"></script>';
const LOGIN = '<form action="/login">';

test.each([
  ['/index.html', answer(PAGE, 'text/html; charset=utf-8'), true],
  ['/index.html', answer(LOGIN, 'text/html'), false],
  ['/index.html', redirected(PAGE, 'text/html'), false],
  ['/assets/index-1.js', answer('', 'text/javascript'), true],
  ['/assets/index-1.js', answer(LOGIN, 'text/html'), false],
  ['/assets/index-1.js', redirected('', 'text/javascript'), false],
  ['/assets/index-1.css', answer('', 'text/css'), true],
  ['/favicon.svg', answer(LOGIN, 'application/xhtml+xml'), false],
  ['/manifest.webmanifest', answer('{}', 'application/manifest+json'), true],
])('O1 what is cached for %s is the file of the app: %o', async (path, response, isOwn) => {
  expect(await isOwnFile(`https://chat.example${path}`, response)).toBe(isOwn);
  if (isOwn) expect(response.bodyUsed).toBe(false); // it is still to be cached
});

function answer(body: string, type: string): Response {
  return new Response(body, { headers: { 'content-type': type } });
}

function redirected(body: string, type: string): Response {
  return Object.defineProperty(answer(body, type), 'redirected', { value: true });
}
