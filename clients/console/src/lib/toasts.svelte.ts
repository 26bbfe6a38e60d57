const SHOWN_MS = 6_000;

class Toasts {
  shown = $state<{ id: number; text: string }[]>([]);
  #next = 0;

  add(text: string): void {
    const id = (this.#next += 1);
    this.shown.push({ id, text });
    setTimeout(() => {
      this.shown = this.shown.filter((toast) => toast.id !== id);
    }, SHOWN_MS);
  }
}

export const toasts = new Toasts();
