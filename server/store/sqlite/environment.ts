/** `node --watch` makes a thread or a process tell its imports by messages, as if they were answers. */
export function withoutWatching({
  WATCH_REPORT_DEPENDENCIES: _,
  ...env
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}
