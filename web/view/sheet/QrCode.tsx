/** A QR code as a drawing: black on white also in the dark theme, since many readers want that. */

import { useMemo } from 'preact/hooks';
import { encodeQR } from 'qr';

/** Modules of white around the code: ISO/IEC 18004 asks for four. */
const QUIET_ZONE = 4;

/** Throws where the text is longer than what fits into a QR code (2,331 bytes with this correction). */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { path, size } = useMemo(() => drawingOf(text), [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <path class="ground" d={`M0 0h${size}v${size}h-${size}z`} />
      <path d={path} />
    </svg>
  );
}

/** Exported for tests. A path of horizontal bars, one module high, in units of one module. */
export function drawingOf(text: string): { path: string; size: number } {
  const rows = encodeQR(text, 'raw', { border: QUIET_ZONE, ecc: 'medium' });
  const bars = rows.flatMap((row, y) =>
    row.map((isDark, x) => {
      if (!isDark || row[x - 1]) return '';
      const end = row.indexOf(false, x);
      return `M${x} ${y}h${end - x}v1h${x - end}z`;
    }),
  );
  return { path: bars.join(''), size: rows.length };
}
