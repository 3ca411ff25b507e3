import { expect, test } from 'vitest';
import { sessionIn } from '../../server/handOver.ts';

const ID = 'Ab3_-6789012345678zZ';

test.each([
  ['of long polling', `GET /socket.io/?EIO=4&transport=polling&sid=${ID} HTTP/1.1\r\nHost: a\r\n\r\n`, ID],
  ['first in the query', `POST /socket.io/?sid=${ID}&EIO=4 HTTP/1.1\r\nHost: a\r\n\r\n{"sid":1}`, ID],
  ['of a request whose headers are cut', `GET /socket.io/?EIO=4&sid=${ID} HTTP/1.1\r\nHo`, ID],
  ['none yet', 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n', undefined],
  ['too long for one', `GET /socket.io/?EIO=4&sid=${ID}0 HTTP/1.1\r\n\r\n`, undefined],
  ['of another parameter', `GET /socket.io/?EIO=4&other_sid=${ID} HTTP/1.1\r\n\r\n`, undefined],
  ['a cookie', `GET / HTTP/1.1\r\nCookie: phpbb3_x1_sid=${ID}0123456789ab\r\n\r\n`, undefined],
  ['a cookie of that length', `GET / HTTP/1.1\r\nCookie: sid=${ID}; a=b\r\n\r\n`, undefined],
  ['a page that led here', `GET / HTTP/1.1\r\nReferer: https://a.example/?sid=${ID}\r\n\r\n`, undefined],
  ['a body', `POST /api/x HTTP/1.1\r\n\r\n?sid=${ID}`, undefined],
  ['nothing', '', undefined],
])(
  'the session of a request, which is waited for until its worker is known, is in the URL and nowhere else: %s',
  (_, text, session) => {
    expect(sessionIn(Buffer.from(text))).toBe(session);
  },
);
