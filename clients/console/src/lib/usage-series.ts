// Usage by hour as the server gives it, in steps without gaps for a chart.

import { timestampDate } from '@bufbuild/protobuf/wkt';

import { RequestClass, type UsageHour } from '../gen/bucketry/v1/token_service_pb.js';

export type Step = 'hour' | 'day';

const HOUR_MS = 3_600_000;
const STEP_MS: Record<Step, number> = { hour: HOUR_MS, day: 24 * HOUR_MS };

export interface Point {
  start: Date;
  /** By class, in the order of `CLASSES`. */
  requests: number[];
  bytesIn: number;
  bytesOut: number;
  denials: number;
}

export const CLASSES = [
  RequestClass.READ,
  RequestClass.LIST,
  RequestClass.WRITE,
  RequestClass.DELETE,
  RequestClass.OTHER,
];

/** The steps of `[from, to]`, in UTC as the server counts. */
export function series(hours: UsageHour[], from: Date, to: Date, step: Step): Point[] {
  const length = STEP_MS[step];
  const first = Math.floor(from.getTime() / length);
  const count = Math.floor(to.getTime() / length) - first + 1;
  const points = Array.from({ length: count }, (_, at): Point => ({
    start: new Date((first + at) * length),
    requests: CLASSES.map(() => 0),
    bytesIn: 0,
    bytesOut: 0,
    denials: 0,
  }));
  for (const hour of hours) {
    if (hour.startTime === undefined) continue;
    const point = points[Math.floor(timestampDate(hour.startTime).getTime() / length) - first];
    if (point !== undefined) add(point, hour);
  }
  return points;
}

function add(point: Point, hour: UsageHour): void {
  for (const { class: requestClass, requests, bytesIn, bytesOut } of hour.counts) {
    const at = CLASSES.indexOf(requestClass);
    if (at >= 0) point.requests[at] = (point.requests[at] ?? 0) + Number(requests);
    point.bytesIn += Number(bytesIn);
    point.bytesOut += Number(bytesOut);
  }
  for (const denial of hour.denials) point.denials += Number(denial.requests);
}

/** The top of a scale that holds `value`: an even whole number of a unit, so that its half is whole too. */
export function niceCeiling(value: number, base: 1000 | 1024): number {
  if (value <= 2) return 2;
  const unit = base ** Math.floor(Math.log(value) / Math.log(base));
  const digits = 10 ** Math.floor(Math.log10(value / unit));
  const step = [2, 4, 6, 8, 10, 20].find((each) => each * digits * unit >= value) ?? 20;
  return step * digits * unit;
}
