/** `npm run dev`: the server restarts and the page reloads when their sources change. Open the page's address. */
import { spawn } from 'node:child_process';
import { createServer } from 'vite';

const server = spawn(process.execPath, ['--watch', '--watch-preserve-output', 'server/main.ts'], {
  stdio: 'inherit',
  env: { ...process.env, HOST: '127.0.0.1', LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn' },
});
server.on('exit', (code) => process.exit(code ?? 1));

const page = await createServer();
await page.listen();
page.printUrls();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    server.removeAllListeners('exit');
    server.kill('SIGTERM');
    await page.close();
    process.exit(0);
  });
}
