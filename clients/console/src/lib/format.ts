import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';

import { language } from './i18n/index.svelte.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(value: bigint | number): string {
  let rest = Number(value);
  let unit = 0;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : 1;
  return `${number(rest, digits)} ${UNITS[unit]}`;
}

export function number(value: bigint | number, digits: 0 | 1 = 0): string {
  return value.toLocaleString(language.locale, { maximumFractionDigits: digits });
}

export function moment(time: Timestamp | undefined): string {
  if (time === undefined) return '';
  return timestampDate(time).toLocaleString(language.locale, { dateStyle: 'medium', timeStyle: 'short' });
}

/** Only the date, for narrow columns. */
export function day(time: Timestamp | undefined): string {
  return time === undefined ? '' : timestampDate(time).toLocaleDateString(language.locale, { dateStyle: 'short' });
}

/** For titles and logs: seconds and the zone. */
export function exactMoment(time: Timestamp | undefined): string {
  return time === undefined ? '' : timestampDate(time).toISOString();
}

export function duration(seconds: number): string {
  const whole = Math.max(Math.round(seconds), 0);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const pad = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}
