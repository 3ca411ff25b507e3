import decodeQR from 'qr/decode.js';
import { expect, test } from 'vitest';
import { wifiText } from '../../../web/view/sheet/Poster.tsx';
import { drawingOf } from '../../../web/view/sheet/QrCode.tsx';

test.each([
  'https://chat.example/#/join/AAAAAAAAAAAAAAAAAAAAAA',
  wifiText({ name: '病房 “5”; a:b,\\', password: 'p;"w' }),
  'x'.repeat(600),
])('a reader of QR codes reads what the drawing says: %s', (text) => {
  expect(decodeQR(imageOf(text))).toBe(text);
});

test('a Wi-Fi without a password is an open one; signs with a meaning are escaped', () => {
  expect(wifiText({ name: 'Ward', password: '' })).toBe('WIFI:T:nopass;S:Ward;;');
  expect(wifiText({ name: 'a;b,c:d"e\\f', password: ';' })).toBe(
    'WIFI:T:WPA;S:a\\;b\\,c\\:d\\"e\\\\f;P:\\;;;',
  );
});

/** The drawing as pixels: black on white, eight to a module. */
function imageOf(text: string): { width: number; height: number; data: Uint8Array } {
  const { path, size } = drawingOf(text);
  const width = size * 8;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let row = Number(y) * 8; row < Number(y) * 8 + 8; row++)
      for (let at = Number(x) * 8; at < (Number(x) + Number(length)) * 8; at++)
        data.fill(0, (row * width + at) * 4, (row * width + at) * 4 + 3);
  return { width, height: width, data };
}
