import { afterEach, expect, test, vi } from 'vitest';
import { statusText } from '../../../web/view/sheet/MessageSheets.tsx';

afterEach(() => void vi.unstubAllGlobals());

test('O3 what waits is sent while the app is closed only where the browser can do that, and the details say which', () => {
  const queued = () => statusText({ status: { tag: 'queued' }, at: Date.now() });
  expect(queued()).toContain('will be sent as soon as Holdfast is open and has a network');
  vi.stubGlobal('SyncManager', class {});
  expect(queued()).toContain('will be sent as soon as there is a connection');
});
