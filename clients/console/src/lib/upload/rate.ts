const WINDOW_MS = 5_000;

/** The rate over the last seconds. What was there at the first measure, as after a resume, does not count. */
export class Rate {
  #samples: { at: number; total: number }[] = [];

  /** Bytes a second; 0 until there is something to tell. */
  measure(total: number, at: number): number {
    this.#samples.push({ at, total });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (first === undefined || at <= first.at) return 0;
    return ((total - first.total) / (at - first.at)) * 1000;
  }
}
