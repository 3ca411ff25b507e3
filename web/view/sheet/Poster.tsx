/** A poster of an invitation, A4, to print and to pin to a wall: in both languages, with the Wi-Fi where it is given. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { POSTER_TEXTS, type PosterTexts } from '../../i18n/poster.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import { QrCode } from './QrCode.tsx';

export interface PosterProps {
  by: string;
  room: string;
  link: string;
  code: string;
  /** ms since 1970. */
  expiresAt: number;
}

/** Asks for the Wi-Fi, which nobody has to give and which is kept nowhere, and prints. */
export function PrintPoster(poster: PosterProps) {
  const s = sheetTexts().invite;
  const [isOpen, setOpen] = useState(false);
  const [wifi, setWifi] = useState<Wifi>({ name: '', password: '' });
  useEffect(() => (isOpen ? addToPage(<Poster {...poster} wifi={wifi} />) : undefined), [isOpen, wifi]);
  if (!isOpen)
    return (
      <button type="button" class="button quiet" onClick={() => setOpen(true)}>
        {s.poster}
      </button>
    );
  const field = (label: string, key: keyof Wifi) => (
    <label class="field">
      {label}
      <input
        type="text"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={wifi[key]}
        onInput={(event) => setWifi({ ...wifi, [key]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <>
      <p>{s.posterWhy}</p>
      {field(s.wifiName, 'name')}
      {field(s.wifiPassword, 'password')}
      <button type="button" class="button" onClick={() => print()}>
        {s.print}
      </button>
    </>
  );
}

interface Wifi {
  name: string;
  password: string;
}

/** Beside the app, which is not printed then (sheet.css). Returns what removes it. */
function addToPage(poster: preact.VNode): () => void {
  const place = document.createElement('div');
  place.className = 'poster';
  document.body.append(place);
  render(poster, place);
  return () => {
    render(null, place);
    place.remove();
  };
}

function Poster({ by, room, link, code, expiresAt, wifi }: PosterProps & { wifi: Wifi }) {
  const both = (text: (texts: PosterTexts) => string) =>
    POSTER_TEXTS.map((texts) => (
      <span key={texts.lang} lang={texts.lang}>
        {text(texts)}
      </span>
    ));
  const dateIn = (lang: string) => new Intl.DateTimeFormat(lang, { dateStyle: 'long' }).format(expiresAt);
  return (
    <>
      <h1>{both((texts) => texts.invites(by, room))}</h1>
      <ol>
        {wifi.name !== '' && (
          <li>
            {both((texts) => texts.wifi(wifi.name))}
            {wifi.password !== '' && both((texts) => texts.password(wifi.password))}
            <QrCode text={wifiText(wifi)} label="Wi-Fi" />
          </li>
        )}
        <li class="main">
          {both(({ scan }) => scan)}
          <QrCode text={link} label={link} />
          {both(({ orCode }) => orCode(new URL(link).host))}
          <b>{code}</b>
        </li>
        <li>{both(({ name }) => name)}</li>
      </ol>
      <p>{both((texts) => texts.until(dateIn(texts.lang)))}</p>
    </>
  );
}

/**
 * What the cameras of phones know as a Wi-Fi network ("Wi-Fi Network config" of ZXing). Exported for tests. Without a
 * password the network is an open one.
 */
export function wifiText({ name, password }: Wifi): string {
  const escaped = (text: string) => text.replace(/[\\;,":]/g, '\\$&');
  return password === ''
    ? `WIFI:T:nopass;S:${escaped(name)};;`
    : `WIFI:T:WPA;S:${escaped(name)};P:${escaped(password)};;`;
}
