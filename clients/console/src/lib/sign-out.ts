import { caller } from './caller.svelte.js';
import { session } from './session.svelte.js';
import { queue } from './upload/queue.svelte.js';

/** Ends the session and everything that runs with it. */
export function signOut(): void {
  queue.stop();
  session.signOut();
  caller.forget();
}
