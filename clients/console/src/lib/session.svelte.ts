// The session of this tab. It lives in memory only, and the secret is not kept.

import type { Problem } from './errors.js';
import { signIn } from './sign-in.js';

/** How long before its end the user is asked to sign in again. */
const NOTICE_SECONDS = 45;

/** Why the user is asked to sign in over the screen. */
export interface RenewalPrompt {
  cause: 'ending' | 'ended';
  problem: Problem | undefined;
}

interface Waiting {
  resume: () => void;
  giveUp: (error: unknown) => void;
}

class Session {
  accessKeyId = $state('');
  signedIn = $state(false);
  prompt = $state<RenewalPrompt | undefined>(undefined);
  #token = '';
  #generation = 0;
  #notice = 0;
  #waiting: Waiting[] = [];

  get token(): string {
    return this.#token;
  }

  /** Changes when the user signs out: what began before must not go on with the next user's session. */
  get generation(): number {
    return this.#generation;
  }

  async signIn(accessKeyId: string, secret: string): Promise<void> {
    const generation = this.#generation;
    const { token, lifetimeSeconds } = await signIn(accessKeyId, secret);
    // The user signed out meanwhile, and another may have signed in.
    if (generation !== this.#generation) return;
    this.#token = token;
    this.accessKeyId = accessKeyId;
    this.signedIn = true;
    this.prompt = undefined;
    clearTimeout(this.#notice);
    const notice = Math.max(lifetimeSeconds - NOTICE_SECONDS, 1) * 1000;
    this.#notice = window.setTimeout(() => this.#announceEnd(), notice);
    for (const { resume } of this.#waiting.splice(0)) resume();
  }

  /** Resolves when the user has signed in again; rejects with `error` if they do not want to. */
  renewal(error: unknown, problem: Problem): Promise<void> {
    this.prompt = { cause: 'ended', problem };
    return new Promise((resume, giveUp) => {
      this.#waiting.push({ resume, giveUp: () => giveUp(error) });
    });
  }

  dismissPrompt(): void {
    this.prompt = undefined;
    for (const { giveUp } of this.#waiting.splice(0)) giveUp(undefined);
  }

  signOut(): void {
    clearTimeout(this.#notice);
    this.#token = '';
    this.#generation += 1;
    this.signedIn = false;
    this.dismissPrompt();
  }

  #announceEnd(): void {
    if (this.signedIn) this.prompt ??= { cause: 'ending', problem: undefined };
  }
}

export const session = new Session();
