/**
 * Reads the files of the TLS certificate again when they change, so that a renewed certificate needs no restart. Polls their
 * metadata: certbot and Kubernetes replace symbolic links, of which fs.watch reports nothing. A pair that cannot be used is
 * logged in a sentence, and the server goes on with the old one.
 */
import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { ConfigError, readTls, type Tls } from '../base/env.ts';
import type { Logger } from '../base/logger.ts';
import { TLS_POLL_MS } from '../base/serverLimits.ts';

export interface TlsReload {
  /** Reads the files at once, as on SIGHUP. */
  reload(): void;
  /** When the certificate in use ends, in ms. */
  validTo(): number;
  stop(): void;
}

/** `apply`: makes new connections use this pair; it may throw. */
export function reloadTlsOnChange({
  tls,
  apply,
  logger,
  pollMs = TLS_POLL_MS,
}: {
  tls: Tls;
  apply: (pair: Pick<Tls, 'cert' | 'key'>) => void;
  logger: Pick<Logger, 'info' | 'error'>;
  pollMs?: number;
}): TlsReload {
  const { certFile, keyFile } = tls;
  let used = tls;
  let read: string | undefined; // at first undefined: they may have changed since the process has read its configuration
  let seen: string | undefined;

  /** Two files are not replaced in one step: so only when a change has lasted from one poll to the next. */
  async function poll(): Promise<void> {
    const now = await stateOf([certFile, keyFile]);
    const isStable = now === seen;
    seen = now;
    if (!isStable || now === read) return;
    read = now;
    reload();
  }

  function reload(): void {
    try {
      const { pair, mistakes } = readTls(certFile, keyFile);
      if (!pair) throw new ConfigError(mistakes);
      if (pair.cert.equals(used.cert) && pair.key.equals(used.key)) return;
      apply(pair);
      used = pair;
      logger.info({ validTo: new X509Certificate(pair.cert).validTo }, 'new TLS certificate in use');
    } catch (error) {
      const why = error instanceof ConfigError ? error.mistakes.join(' ') : String(error);
      logger.error(
        `The server goes on with the old TLS certificate, since the new files cannot be used: ${why}`,
      );
    }
  }

  const timer = setInterval(() => void poll(), pollMs).unref();
  void poll();
  return {
    reload,
    validTo: () => Date.parse(new X509Certificate(used.cert).validTo),
    stop: () => clearInterval(timer),
  };
}

/** Follows symbolic links. A file that is missing for a moment, or for good, is a state of its own. */
async function stateOf(files: string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return stats.map((s) => s && `${s.dev} ${s.ino} ${s.size} ${s.mtimeMs} ${s.ctimeMs}`).join();
}
