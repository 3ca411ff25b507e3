/**
 * Tells the operator when this process has no file descriptor left. Node then closes each new connection at once, and says
 * nothing; those that are open go on.
 */
import { close, open } from 'node:fs';
import { devNull } from 'node:os';
import type { Logger } from './logger.ts';
import { throttled } from './throttled.ts';

export function watchDescriptors(logger: Pick<Logger, 'error'>): void {
  const say = throttled(SAY_EVERY_MS, (code: string) =>
    logger.error(
      { code },
      'There is no file descriptor left: new connections are refused. Raise the limit of open files (LimitNOFILE in systemd, ulimit -n), or add a process.',
    ),
  );
  setInterval(() => {
    open(devNull, (error, descriptor) => {
      if (error?.code === 'EMFILE' || error?.code === 'ENFILE') say(error.code);
      if (!error) close(descriptor);
    });
  }, LOOK_EVERY_MS).unref();
}

const LOOK_EVERY_MS = 2_000;
const SAY_EVERY_MS = 60_000;
