import { createClient } from '@connectrpc/connect';

import { SessionPurpose, TokenService } from '../gen/bucketry/v1/token_service_pb.js';
import { answerSignature, challengeKey, sameBytes, serverProof } from './challenge.js';
import { ConsoleError, type Problem, problemOf } from './errors.js';
import { transport } from './transport.js';

const NONCE_BYTES = 32;

export interface NewSession {
  token: string;
  lifetimeSeconds: number;
}

const tokens = createClient(TokenService, transport());

/** Why a sign-in failed. A refusal without another reason is the work of IP rules: names the address that they see. */
export async function signInProblem(thrown: unknown): Promise<Problem> {
  const problem = problemOf(thrown);
  if (problem.reason !== 'ACCESS_DENIED') return problem;
  const address = await tokens.describeClientAddress({}).then((seen) => seen.clientAddress, () => '');
  if (address === '') return { ...problem, advice: 'advice.addressBarredUnknown' };
  return { ...problem, advice: 'advice.addressBarred', adviceValues: { address } };
}

/** Proves the secret to the server and the server to us. The secret is neither sent nor kept. */
export async function signIn(accessKeyId: string, secret: string): Promise<NewSession> {
  const clientNonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const endpoint = location.origin.toLowerCase();
  const { serverNonce } = await tokens.createChallenge({ accessKeyId, clientNonce });
  const challenge = { accessKeyId, clientNonce, serverNonce, endpoint };
  const key = challengeKey(secret);
  const signature = answerSignature(key, challenge);
  const purpose = SessionPurpose.CLIENT;
  const answer = await tokens.answerChallenge({ ...challenge, purpose, signature });
  const { sessionToken, expireTime, lifetimeSeconds } = answer;
  if (expireTime === undefined) throw new ConsoleError('the session has no expiry', 'advice.report');
  const proof = serverProof(key, challenge, { sessionToken, expireTime, lifetimeSeconds });
  if (!sameBytes(proof, answer.serverProof)) {
    throw new ConsoleError('the server could not prove that it knows the secret', 'advice.impostor');
  }
  return { token: sessionToken, lifetimeSeconds };
}
