const CLOCK = ['M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12', 'M8 4.8V8l2.2 1.6'] as const;

/** SVG icons. Each stands beside a text with the same meaning, so all are hidden from screen readers. */
const PATHS = {
  saving: CLOCK,
  queued: CLOCK,
  sending: ['M8 2a6 6 0 1 1-6 6'],
  checking: ['M8 2a6 6 0 1 1-6 6', 'M5.6 8.2l1.7 1.7 3.2-3.6'],
  sent: ['M3 8.6l3.2 3.2L13 4.8'],
  read: ['M.8 8.6l3.2 3.2 6.8-7', 'M7.4 11.2l.6.6 6.8-7'],
  'not-sent': ['M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12', 'M8 4.6v4M8 11.2v.1'],
  up: ['M12 19V5M6 11l6-6 6 6'],
  down: ['M12 5v14M6 13l6 6 6-6'],
  back: ['M15 5l-7 7 7 7'],
  more: ['M12 6v.01M12 12v.01M12 18v.01'],
  plus: ['M12 5v14M5 12h14'],
  close: ['M6 6l12 12M18 6L6 18'],
} as const;

export type IconName = keyof typeof PATHS;

const SMALL: ReadonlySet<IconName> = new Set([
  'saving',
  'queued',
  'sending',
  'checking',
  'sent',
  'read',
  'not-sent',
]);

export function Icon({ name }: { name: IconName }) {
  const small = SMALL.has(name);
  return (
    <svg
      class={small ? `sign ${name}` : 'sign big'}
      viewBox={small ? '0 0 16 16' : '0 0 24 24'}
      aria-hidden="true"
    >
      {PATHS[name].map((path) => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}

/** The logo of the app. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 72 72" aria-hidden="true">
      <path d="M36 8v30M36 20c-9 0-15 5-15 13v3M36 20c9 0 15 5 15 13v3M36 38c-4 8-12 8-15 16M36 38c4 8 12 8 15 16M36 38v20M14 62h44" />
    </svg>
  );
}
